"""From a profile and a machine to knobs: what is wanted here, in the order in which it is applied."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from node_tuner.aims import AtLeast, EachQueue, Exactly, FieldsAtLeast, Keys, Made, PortsAmong, Queueing, Unmet
from node_tuner.bpf.program import check
from node_tuner.contract import Aim, Knob
from node_tuner.controls.bpf_marking import BpfMarking
from node_tuner.controls.clsact import THERE, Clsact
from node_tuner.controls.conntrack_bypass import ConntrackBypass
from node_tuner.controls.ethtool import Channels, Coalescing, Offloads, Rings
from node_tuner.controls.nft_marking import NftMarking
from node_tuner.controls.qdisc import RootQdisc
from node_tuner.controls.steering import Rps, Xps, mask_of, rps_masks, xps_masks
from node_tuner.controls.sysctl import Sysctl
from node_tuner.errors import UnavailableError
from node_tuner.machine.facts import Interface, Machine
from node_tuner.machine.namespace import is_host_namespace
from node_tuner.machine.roots import Roots
from node_tuner.marking import Marking, MarkRule, Payload, Transport
from node_tuner.profile.dscp import name_of
from node_tuner.profile.fields import KnobSection
from node_tuner.profile.nic import COALESCING
from node_tuner.profile.rules import Number, explain, least, resolve
from node_tuner.profile.schema import ChannelsSpec, DscpSpec, MarkRuleSpec, Profile, RingsSpec, SteeringSpec, SysctlSpec

_HELD_BY_WATCH = "held by `watch` for as long as it runs: it takes an open file, which apply cannot leave behind"


def knobs(profile: Profile, machine: Machine, roots: Roots) -> tuple[Knob, ...]:
    """Sysctls, the card, its queues, the qdisc, the conntrack bypass and the marks: of each what the profile names.

    Nothing is changed; the card is asked for its limits where the profile says `max` or `cores`.
    """
    return (
        *(_sysctl(name, spec, profile, machine, roots) for name, spec in profile.sysctls.items()),
        *_nic(profile, machine),
        *_queues(profile, machine, roots),
        *_ports_and_marks(profile, machine.interface),
        *_latency(profile),
    )


def _sysctl(name: str, spec: SysctlSpec, profile: Profile, machine: Machine, roots: Roots) -> Knob:
    how = "; ".join(filter(None, (explain(each, machine) for _, each in spec.numbers)))
    elsewhere = _elsewhere(name, roots)
    return Knob(
        name,
        None if elsewhere else Sysctl(name, roots, spec.exactly if isinstance(spec.exactly, str) else ""),
        _aim(spec, profile, partial(resolve, machine=machine)),
        spec.required,
        f"{spec.why} ({how})" if how else spec.why,
        spec.source,
        absent=elsewhere,
        not_needed=_unmet(spec, machine),
        floor=_floor(spec),
    )


def _aim(spec: SysctlSpec, profile: Profile, number: Callable[[Any], int]) -> Aim:
    aims: Mapping[str, Callable[[Any], Aim]] = {
        "exactly": lambda value: Exactly(" ".join(str(value if isinstance(value, str) else number(value)).split())),
        "at_least": lambda value: AtLeast(number(value)),
        "fields_at_least": lambda values: _fields_at_least(values, number),
        "ports": lambda value: PortsAmong(profile.ports(value)),
    }
    return aims[spec.aim](getattr(spec, spec.aim))


def _fields_at_least(values: Sequence[Number | None], number: Callable[[Any], int]) -> FieldsAtLeast:
    return FieldsAtLeast([None if each is None else number(each) for each in values])


def _floor(spec: SysctlSpec) -> Aim | None:
    """See `Knob.floor`."""
    if all(isinstance(number, int) for _, number in spec.numbers):
        return None
    if spec.fields_at_least is not None:
        return _fields_at_least(spec.fields_at_least, least)
    return AtLeast(min(least(number) for _, number in spec.numbers))


def _elsewhere(name: str, roots: Roots) -> str:
    """Why it is not to be had in this network namespace, though the kernel would take it: empty where it is. The record
    is the namespace's and goes with it, and then nobody could put back what is the whole node's."""
    if name.startswith("net.") or is_host_namespace(roots):
        return ""
    return f"not the host's network namespace: {name} is the whole node's, and set there alone"


def _unmet(spec: SysctlSpec, machine: Machine) -> str:
    """Why its condition does not hold; empty where it does."""
    if spec.when == "softnet_squeezed" and machine.softnet_squeezed == 0:
        return "the kernel has left no datagram for later since boot (softnet_squeezed)"
    return ""


def _nic(profile: Profile, machine: Machine) -> Iterator[Knob]:
    nic, link = profile.nic, machine.interface
    if nic.channels is not None:
        yield _channels(nic.channels, machine)
    if nic.rings is not None:
        yield _rings(nic.rings, link)
    if nic.coalescing is not None:
        values = {key: value for key in COALESCING if (value := getattr(nic.coalescing, key)) is not None}
        yield _of_card("nic.coalescing", nic.coalescing, Coalescing(link, values), values)
    if nic.offloads is not None:
        features = dict(nic.offloads.features)
        yield _of_card("nic.offloads", nic.offloads, Offloads(link, features), features)


def _of_card(name: str, spec: KnobSection, control: Channels | Rings | Coalescing | Offloads, values: Any) -> Knob:
    return Knob(name, control, Keys(values), spec.required, spec.why, spec.source)


def _channels(spec: ChannelsSpec, machine: Machine) -> Knob:
    control = Channels(machine.interface, {"combined": spec.combined})
    try:
        return _of_card("nic.channels", spec, control, {"combined": _combined(spec, control, machine)})
    except UnavailableError as error:
        return _absent("nic.channels", spec, f"combined {spec.combined}", error)


def _combined(spec: ChannelsSpec, control: Channels, machine: Machine) -> int:
    if isinstance(spec.combined, int):
        return spec.combined
    most = _limit(control, "combined", machine.interface)
    return min(most, machine.cores) if spec.combined == "cores" else most


def _rings(spec: RingsSpec, link: Interface) -> Knob:
    wanted = {key: value for key, value in (("rx", spec.rx), ("tx", spec.tx)) if value is not None}
    control = Rings(link, wanted)
    try:
        values = {key: _limit(control, key, link) if value == "max" else value for key, value in wanted.items()}
    except UnavailableError as error:
        return _absent("nic.rings", spec, ", ".join(f"{key} {value}" for key, value in wanted.items()), error)
    return _of_card("nic.rings", spec, control, values)


def _limit(control: Channels | Rings, key: str, link: Interface) -> int:
    most = control.limits().get(key, 0)
    if most == 0:
        raise UnavailableError(f"the driver of {link.name} has no {key} {control.kind}")
    return most


def _absent(name: str, spec: KnobSection, wanted: str, error: UnavailableError) -> Knob:
    return Knob(name, None, Unmet(wanted), spec.required, spec.why, spec.source, absent=str(error))


def _queues(profile: Profile, machine: Machine, roots: Roots) -> Iterator[Knob]:
    queues, link = profile.queues, machine.interface
    channels = _combined_to_come(profile, machine)
    if queues.rps is not None:
        rps, cpus = queues.rps, machine.receiving_cpus
        label = f"{_rps_mask(rps, cpus)} at each queue"
        counts = (link.rx_queues, channels or link.rx_queues)
        idle = partial(_enough, rps, link, cpus)
        yield _steered("queues.rps", rps, Rps(link, roots), partial(_rps, rps, cpus), label, idle, counts)
    if queues.xps is not None:
        # Also the isolated ones, if any: the mask is about who sends, and that may be the gateway, pinned there.
        xps, cpus = queues.xps, machine.cpus
        label = "0 at each queue" if xps.steer == "off" else f"{mask_of(cpus)} dealt out to the queues"
        counts = (link.tx_queues, channels or link.tx_queues)
        idle = partial(_one_or_enough, xps, link, cpus)
        yield _steered("queues.xps", xps, Xps(link, roots), partial(_xps, xps, cpus), label, idle, counts)


def _combined_to_come(profile: Profile, machine: Machine) -> int | None:
    """None where the profile leaves the channels alone, or the card has none."""
    spec = profile.nic.channels
    if spec is None:
        return None
    try:
        return _combined(spec, Channels(machine.interface, ["combined"]), machine)
    except UnavailableError:
        return None


def _steered(
    name: str,
    spec: SteeringSpec,
    control: Rps | Xps,
    masks: Callable[[int], Mapping[str, str]],
    label: str,
    idle: Callable[[int], str],
    counts: tuple[int, int],
) -> Knob:
    """`counts`: queues as they are, and as many as there will be once the channels are set, which is done before and
    may be refused. `idle` says why there is nothing to steer with so many."""
    now, to_come = counts
    aim = EachQueue(lambda count: None if idle(count) else masks(count), label)
    not_needed = idle(to_come) if idle(now) else ""
    return Knob(name, control, aim, spec.required, spec.why, spec.source, not_needed=not_needed)


def _enough(spec: SteeringSpec, link: Interface, cpus: Sequence[int], queues: int) -> str:
    if spec.steer != "where_queues_below_cores" or queues < len(cpus):
        return ""
    return f"{link.name} has a queue for each core: {queues} for {len(cpus)}"


def _one_or_enough(spec: SteeringSpec, link: Interface, cpus: Sequence[int], queues: int) -> str:
    one = f"{link.name} has one queue: there is nothing to choose from" if queues == 1 else ""
    return one or _enough(spec, link, cpus, queues)


def _rps(spec: SteeringSpec, cpus: Sequence[int], queues: int) -> Mapping[str, str]:
    if spec.steer == "where_queues_below_cores":
        return rps_masks(queues, cpus)
    return {f"rx-{queue}": _rps_mask(spec, cpus) for queue in range(queues)}


def _rps_mask(spec: SteeringSpec, cpus: Sequence[int]) -> str:
    return "0" if spec.steer == "off" else mask_of(cpus)


def _xps(spec: SteeringSpec, cpus: Sequence[int], queues: int) -> Mapping[str, str]:
    masks = xps_masks(queues, cpus)
    return dict.fromkeys(masks, "0") if spec.steer == "off" else masks


def _ports_and_marks(profile: Profile, link: Interface) -> Iterator[Knob]:
    qdisc, conntrack = profile.qdisc, profile.conntrack
    if qdisc is not None:
        aim = Queueing(qdisc.kind, qdisc.limit_packets)
        yield Knob("qdisc", RootQdisc(link, qdisc.kind), aim, qdisc.required, qdisc.why, qdisc.source)
    if conntrack is not None:
        ports = profile.ports(conntrack.bypass)
        made = Made({"ports": str(ports)}, f"no connections of UDP {ports}")
        yield Knob("conntrack.bypass", ConntrackBypass(), made, conntrack.required, conntrack.why, conntrack.source)
    yield from _marks(profile, link)


def _marks(profile: Profile, link: Interface) -> Iterator[Knob]:
    spec = profile.dscp
    if spec is None or spec.mechanism == "none":
        return
    marking = _marking(profile, spec)
    label = ", ".join(f"{rule.traffic_class} {name_of(rule.dscp)}" for rule in marking.rules)
    knob = partial(Knob, required=spec.required, why=spec.why, source=spec.source)
    if spec.mechanism == "nft":
        yield knob("dscp.nft", NftMarking(), Made(marking.as_json(), label))
        return
    try:
        check(marking)
    except ValueError as error:
        yield knob("dscp.bpf", None, Made({}, label), absent=str(error))
        return
    filter_of_ours = BpfMarking(link)
    yield knob("dscp.clsact", Clsact(link, filter_of_ours), Exactly(THERE))
    made = Made({"marking": marking.as_json(), "priority": spec.priority}, label)
    yield knob("dscp.bpf", filter_of_ours, made, why=f"{spec.why}{_doubt(filter_of_ours.rivals(spec.priority))}")


def _doubt(rivals: Sequence[str]) -> str:
    if not rivals:
        return ""
    return f" (where it has its turn: what others have before it may end the walk: {', '.join(rivals)})"


def _marking(profile: Profile, spec: DscpSpec) -> Marking:
    return Marking(tuple(_mark_rule(profile, rule) for rule in spec.rules), spec.only_unmarked)


def _mark_rule(profile: Profile, rule: MarkRuleSpec) -> MarkRule:
    return MarkRule(
        rule.traffic_class,
        Transport(rule.transport),
        profile.ports(rule.ports),
        Payload(rule.payload),
        frozenset(rule.payload_types),
        rule.dscp,
    )


def _latency(profile: Profile) -> Iterator[Knob]:
    spec = profile.cpu_dma_latency_us
    if spec is not None:
        aim = Unmet(f"at most {spec.at_most} us")
        yield Knob("cpu_dma_latency", None, aim, False, spec.why, spec.source, not_needed=_HELD_BY_WATCH)
