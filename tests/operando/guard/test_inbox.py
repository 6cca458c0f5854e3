import threading

from operando.guard.inbox import Command, Inbox
from operando.model.clock import SystemClock
from tests.support.fast_clock import FastClock

FAR_S = 60.0


def test_a_command_ends_the_wait_at_once() -> None:
    clock = SystemClock()
    inbox = Inbox(clock)
    begin_s = clock.now()
    sender = threading.Thread(target=inbox.put, args=(Command("1", "note"),))
    sender.start()
    inbox.wait_until(begin_s + FAR_S)
    sender.join()
    assert clock.now() - begin_s < FAR_S / 2
    taken = inbox.take()
    assert taken is not None
    assert taken.id == "1"
    assert inbox.take() is None
    clock.close()


def test_commands_stay_queued_and_in_order_while_the_loop_settles() -> None:
    clock = SystemClock()
    inbox = Inbox(clock)
    for identity in "ab":
        inbox.put(Command(identity, "note"))
    due_s = clock.now() + 0.05
    inbox.settle_until(due_s)
    assert clock.now() >= due_s
    assert [command.id for command in (inbox.take(), inbox.take()) if command is not None] == ["a", "b"]
    clock.close()


def test_a_clock_that_is_set_back_while_the_loop_settles_holds_it_up_no_longer_than_that() -> None:
    clock = FastClock(10_000.0)
    clock.at(10_000.05, lambda: clock.set_by(-3600.0))
    Inbox(clock).settle_until(10_000.1)
    assert 10_000.1 <= clock.steady() <= 10_000.2 + 1e-6


def test_an_end_is_not_waited_for() -> None:
    clock = SystemClock()
    inbox = Inbox(clock)
    inbox.end("told so")
    begin_s = clock.now()
    inbox.wait_until(begin_s + FAR_S)
    assert clock.now() - begin_s < FAR_S / 2
    assert inbox.end_reason == "told so"
    clock.close()
