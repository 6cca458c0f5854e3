from operando.model.number_text import duration_text, number_text


def test_a_value_has_the_digits_that_its_uncertainty_deserves() -> None:
    assert number_text(3.779e5, 1.93e4) == "(3.78 ± 0.19)e5"
    assert number_text(20.181, 0.0746) == "20.181 ± 0.075"
    assert number_text(0.0, 194.0) == "0 ± 194"
    assert number_text(2.5) == "2.5"
    assert number_text(float("nan"), 1.0) == "–"


def test_durations_are_written_for_people() -> None:
    written = [duration_text(seconds) for seconds in (12, 200, 14_700, 183_600)]
    assert written == ["12 s", "3 min 20 s", "4 h 05 min", "2 d 03 h"]


def test_numbers_of_any_size_can_be_written() -> None:
    assert number_text(1e308, 5e-324) == "1e+308"
    assert number_text(5e-324, 5e-324) != ""
    assert duration_text(float("inf")) == duration_text(float("nan")) == "–"
