"""The echo: proof that the broker still reaches the node."""

from fog_node.echo import DEAF_S, ECHO_S, Echo


def pass_time(echo: Echo, since: float, seconds: float) -> float:
    steps = round(seconds / 0.25)
    for step in range(1, steps + 1):
        echo.tick(since + step * 0.25, connected=True)
    return since + steps * 0.25


def test_a_round_trip_is_measured() -> None:
    echo = Echo()
    sent = echo.tick(0.0, connected=True)
    assert sent is not None
    echo.heard(sent, 0.02)
    assert echo.seconds == 0.02
    assert echo.tick(ECHO_S / 2, connected=True) is None
    assert echo.tick(ECHO_S, connected=True) is not None


def test_silence_grows_until_the_connection_is_deaf() -> None:
    echo = Echo()
    echo.tick(0.0, connected=True)
    now = pass_time(echo, 0.0, 1.5)
    assert echo.seconds == 1.5
    assert not echo.deaf
    pass_time(echo, now, DEAF_S - 1.5)
    assert echo.deaf


def test_a_late_echo_tells_how_late_and_answers_for_the_earlier_ones() -> None:
    echo = Echo()
    numbers = [echo.tick(step * ECHO_S, connected=True) for step in range(4)]
    assert numbers[-1] is not None
    echo.heard(numbers[-1], 3 * ECHO_S + 0.1)
    assert abs(echo.seconds - 0.1) < 1e-9
    echo.heard(b"77", 9.0)
    echo.heard(b"not a number", 9.0)
    assert abs(echo.seconds - 0.1) < 1e-9


def test_a_process_that_was_stopped_has_waited_for_nobody() -> None:
    echo = Echo()
    echo.tick(0.0, connected=True)
    echo.tick(60.0, connected=True)
    assert echo.seconds <= 0.5


def test_without_a_connection_there_is_nothing_to_wait_for() -> None:
    echo = Echo()
    echo.tick(0.0, connected=True)
    pass_time(echo, 0.0, 2.0)
    assert echo.tick(3.0, connected=False) is None
    assert (echo.seconds, echo.deaf) == (0.0, False)
