import asyncio

from simulators.bookkeeping import after_answers, bookkeeping_done


def test_what_is_put_off_is_done_in_order_and_before_the_end() -> None:
    done: list[str] = []

    async def serve() -> None:
        for number in range(5):
            after_answers(lambda number=number: done.append(f"work {number}"))  # type: ignore[misc]
        done.append("answered")
        await bookkeeping_done()
        done.append("ended")

    asyncio.run(serve())
    assert done == ["answered", *(f"work {number}" for number in range(5)), "ended"]


def test_without_a_server_it_is_done_at_once() -> None:
    done: list[int] = []
    after_answers(lambda: done.append(1))
    assert done == [1]
