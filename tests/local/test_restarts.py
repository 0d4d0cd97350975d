"""Deaths that count, and what they cost."""

from local.restarts import GIVE_UP_DEATHS, recent, restart_delay_s


def test_delays_double_until_it_is_given_up() -> None:
    """A child that cannot start is not started in a tight loop."""
    assert [restart_delay_s(deaths) for deaths in range(1, 6)] == [0.5, 1.0, 2.0, 4.0, None]


def test_old_deaths_are_forgotten() -> None:
    """A worker that dies once an hour is never given up."""
    deaths_s = [float(hour * 3600) for hour in range(GIVE_UP_DEATHS * 2)]
    assert recent(deaths_s, deaths_s[-1]) == deaths_s[-1:]
