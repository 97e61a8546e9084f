"""The gateway beside the sidecar takes its file for an order, also when it has just been started again."""

from pathlib import Path

from gateway.cordon.drain_file import SIGNATURE
from gateway.cordon.drain_file import DrainFile as Kept
from gateway.drain.__main__ import OF_THE_CORDON, make
from gateway.hub.drain import Order
from gateway.hub.drain_file import OF_ONE_LIFE
from gateway.hub.drain_file import DrainFile as Looked


class Orders:
    """A drain, as far as the file is about it."""

    def __init__(self) -> None:
        self.standing: set[Order] = set()

    def order(self, order: Order, now_s: float) -> bool:
        self.standing.add(order)
        return True

    def withdraw(self, order: Order) -> bool:
        self.standing.discard(order)
        return True


async def _look(looked: Looked) -> None:
    looked.tick(0.0)
    await looked._look.wait()


async def test_gateway_drains_from_its_start_on_while_the_node_is_cordoned(tmp_path: Path) -> None:
    kept, orders = Kept(tmp_path / "drain"), Orders()
    kept.make("it is cordoned")
    looked = Looked(tmp_path / "drain", orders)  # type: ignore[arg-type]
    await looked.start()
    assert orders.standing == {Order.FILE}
    kept.remove()
    await _look(looked)
    assert orders.standing == set()


async def test_file_of_a_prestop_hook_stays_though_the_node_takes_pods(tmp_path: Path) -> None:
    make(tmp_path / "drain")
    Kept(tmp_path / "drain").remove()
    assert (tmp_path / "drain").exists()


async def test_order_of_a_prestop_hook_stands_though_the_node_is_uncordoned_meanwhile(tmp_path: Path) -> None:
    kept, orders = Kept(tmp_path / "drain"), Orders()
    kept.make("it is cordoned")
    looked = Looked(tmp_path / "drain", orders)  # type: ignore[arg-type]
    await looked.start()
    make(tmp_path / "drain")
    kept.remove()
    await _look(looked)
    assert orders.standing == {Order.FILE}


def test_files_of_both_kinds_are_told_apart() -> None:
    assert not SIGNATURE.encode().startswith(OF_ONE_LIFE)
    assert SIGNATURE.encode() == OF_THE_CORDON
