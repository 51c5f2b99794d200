"""The chaos run notices what is lost and what is doubled, and counts the rest right."""

from collections import Counter

from tests.chaos.__main__ import run_scenario
from tests.chaos.scenarios import SCENARIOS, Scenario
from tests.chaos.steps import half_open, send
from tests.chaos.uplinks import Life, count, payload
from tests.chaos.world import DEVICES, World


async def _notices_nothing(world: World) -> None:
    """Connections that were half open go on, as if nothing had been."""
    for connection in world.simulator.application_server.broker.connections:
        connection.frozen = False


async def _comes_again(world: World) -> None:
    """The first uplink comes once more, after more of its end device than are remembered."""
    (first, *_) = world.simulator.devices["probe-0"].stored()
    await world.simulator.repeat(first)


async def test_what_is_lost_and_doubled_is_noticed(socket_enabled: None) -> None:
    """By a real Home Assistant, on a server that breaks its word."""
    steps = (
        send(34 * DEVICES),
        _comes_again,
        half_open(),
        send(5),
        _notices_nothing,
        send(DEVICES),
    )
    (row,) = await run_scenario(Scenario("untrue server", steps), 1, "mqtt")
    assert not row.error
    assert row.counts is not None
    assert (row.counts.lost, row.counts.doubled, row.counts.behind) == (5, 1, 0)
    assert not row.good


def test_each_way_to_arrive_is_counted_once() -> None:
    lives = [
        Life(live=Counter({0: 1, 1: 1}), shown={0, 1, 2}, caught_up=1),
        Life(live=Counter({3: 1}), shown={0, 1, 2, 3, 4}, caught_up=1),
    ]
    counts = count(7, {0, 1, 2, 3, 4, 5}, lives, {"A": 4, "B": 3}, {"A": "4", "B": "2"})
    assert (counts.published, counts.live, counts.caught_up) == (7, 3, 2)
    assert (counts.lost, counts.missed, counts.doubled, counts.behind) == (1, 1, 0, 1)


def test_taken_twice_is_doubled_in_one_life_and_across() -> None:
    twice_live = [Life(live=Counter({0: 2}), shown={0}, caught_up=0)]
    assert count(1, {0}, twice_live, {}, {}).doubled == 1
    twice_caught_up = [Life(live=Counter(), shown={0}, caught_up=2)]
    assert count(1, {0}, twice_caught_up, {}, {}).doubled == 1
    across = [Life(live=Counter({0: 1})), Life(live=Counter({0: 1}))]
    assert count(1, {0}, across, {}, {}).doubled == 1


def test_each_uplink_has_a_field_of_its_own() -> None:
    marks = {field for number in range(2000) for field in payload(number)}
    assert len(marks) == 2001
    assert any(scenario.short for scenario in SCENARIOS.values())
