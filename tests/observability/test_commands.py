"""What the tests of runbooks and of docs/cluster.md rely on."""

import pytest

from tests.observability.commands import check_debug

AS_ROOT = "kubectl debug node/edge-1 -it --profile=sysadmin --custom=daemonset/debug-root.yml --image=$IMAGE"


def test_debugging_a_node_with_our_image_is_done_as_root() -> None:
    check_debug(f"{AS_ROOT} -- railbird-tuner plan")
    check_debug("kubectl debug node/edge-1 -it --image=busybox -- df -h /host")


@pytest.mark.parametrize("left_out", [" --custom=daemonset/debug-root.yml", " --profile=sysadmin"])
def test_debugging_a_node_with_our_image_as_its_own_user_is_found(left_out: str) -> None:
    with pytest.raises(AssertionError):
        check_debug(f"{AS_ROOT.replace(left_out, '')} -- railbird-tuner plan")
