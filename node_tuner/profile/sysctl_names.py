"""What the kernel's settings are called, and what they can be: Linux, admin-guide/sysctl and ip-sysctl.rst."""

import difflib
import re
from collections.abc import Mapping

from node_tuner.profile.rules import MAX_INT

PREFIXES = (
    "net.",
    "kernel.nmi_watchdog",
    "kernel.numa_balancing",
    "kernel.timer_migration",
    "vm.stat_interval",
    "vm.min_free_kbytes",
    "vm.swappiness",
)
"""What a profile may change. It says how a node carries media, not who may do what on it."""

_KNOWN = {
    "net.core": """bpf_jit_enable busy_poll busy_read default_qdisc dev_weight dev_weight_rx_bias dev_weight_tx_bias
        flow_limit_table_len gro_normal_batch high_order_alloc_disable max_skb_frags netdev_budget netdev_budget_usecs
        netdev_max_backlog netdev_tstamp_prequeue optmem_max rmem_default rmem_max rps_default_mask
        rps_sock_flow_entries skb_defer_max somaxconn txrehash wmem_default wmem_max""",
    "net.ipv4": """fib_multipath_hash_policy ip_default_ttl ip_early_demux ip_forward ip_local_port_range
        ip_local_reserved_ports ip_no_pmtu_disc ip_nonlocal_bind ip_unprivileged_port_start ipfrag_high_thresh
        ipfrag_low_thresh ipfrag_time ping_group_range tcp_autocorking tcp_congestion_control tcp_early_demux tcp_ecn
        tcp_fastopen tcp_fin_timeout tcp_keepalive_intvl tcp_keepalive_probes tcp_keepalive_time tcp_limit_output_bytes
        tcp_max_orphans tcp_max_syn_backlog tcp_max_tw_buckets tcp_mem tcp_min_rtt_wlen tcp_min_tso_segs
        tcp_moderate_rcvbuf tcp_mtu_probing tcp_no_metrics_save tcp_notsent_lowat tcp_pacing_ca_ratio
        tcp_pacing_ss_ratio tcp_recovery tcp_reordering tcp_retries1 tcp_retries2 tcp_rmem tcp_sack
        tcp_slow_start_after_idle tcp_syn_retries tcp_synack_retries tcp_syncookies tcp_timestamps tcp_tso_win_divisor
        tcp_tw_reuse tcp_window_scaling tcp_wmem udp_child_hash_entries udp_early_demux udp_mem udp_rmem_min
        udp_wmem_min""",
    "net.ipv6": "auto_flowlabels bindv6only flowlabel_consistency flowlabel_reflect flowlabel_state_ranges",
    "net.netfilter": """nf_conntrack_acct nf_conntrack_buckets nf_conntrack_checksum nf_conntrack_expect_max
        nf_conntrack_generic_timeout nf_conntrack_max nf_conntrack_tcp_be_liberal nf_conntrack_tcp_loose
        nf_conntrack_tcp_timeout_established nf_conntrack_tcp_timeout_time_wait nf_conntrack_timestamp
        nf_conntrack_udp_timeout nf_conntrack_udp_timeout_stream""",
    "kernel": "nmi_watchdog numa_balancing timer_migration",
    "vm": "min_free_kbytes stat_interval swappiness",
}

NAMES = frozenset(f"{prefix}.{name}" for prefix, names in _KNOWN.items() for name in names.split())
"""The ones that this program knows, for typing errors; newer kernels have others."""

TEXTS = frozenset({"net.core.default_qdisc", "net.core.rps_default_mask", "net.ipv4.tcp_congestion_control"})
"""Of NAMES, those that are no numbers."""

PORT_LISTS = frozenset({"net.ipv4.ip_local_reserved_ports"})

FIELDS: Mapping[str, int] = {
    "net.ipv4.ip_local_port_range": 2,
    "net.ipv4.ping_group_range": 2,
    "net.ipv4.tcp_mem": 3,
    "net.ipv4.tcp_rmem": 3,
    "net.ipv4.tcp_wmem": 3,
    "net.ipv4.udp_mem": 3,
}
"""How many numbers they have, where it is not one."""

_SWITCH = (0, 1)

_LIMITS: Mapping[str, tuple[int, int]] = {
    "kernel.nmi_watchdog": _SWITCH,
    "kernel.numa_balancing": (0, 3),
    "kernel.timer_migration": _SWITCH,
    "net.core.netdev_budget": (1, MAX_INT),
    "net.core.netdev_max_backlog": (1, MAX_INT),
    "net.core.optmem_max": (0, MAX_INT),
    "net.core.rmem_default": (2304, MAX_INT),
    "net.core.rmem_max": (2304, MAX_INT),
    "net.core.wmem_default": (4608, MAX_INT),
    "net.core.wmem_max": (4608, MAX_INT),
    "net.ipv4.ip_local_port_range": (1, 65_535),
    "net.ipv4.tcp_mem": (0, 2**63 - 1),
    "net.ipv4.tcp_notsent_lowat": (0, 2**32 - 1),
    "net.ipv4.tcp_rmem": (1, MAX_INT),
    "net.ipv4.tcp_slow_start_after_idle": _SWITCH,
    "net.ipv4.tcp_wmem": (1, MAX_INT),
    "net.ipv4.udp_mem": (0, 2**63 - 1),
    "net.ipv4.udp_rmem_min": (1, MAX_INT),
    "net.ipv4.udp_wmem_min": (1, MAX_INT),
    "net.netfilter.nf_conntrack_max": (1, MAX_INT),
    "vm.stat_interval": (1, MAX_INT),
}

_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
_LIKE = 0.9
"""How alike a name must be to one of NAMES to be taken for a typing error: rmem_mx is, busy_read (to busy_poll) not."""


def limits(name: str) -> tuple[int, int]:
    """The least and the greatest number that the kernel takes, as far as is known."""
    return _LIMITS.get(name, (0, MAX_INT))


def check_name(name: str) -> str:
    """ValueError for what is no such setting, or none that a profile may change."""
    if not _NAME.fullmatch(name):
        raise ValueError("expected the name of a sysctl, with dots, such as net.core.rmem_max")
    if name in NAMES:
        return name
    if close := difflib.get_close_matches(name, sorted(NAMES), n=1, cutoff=_LIKE):
        raise ValueError(f"there is no such sysctl; did you mean `{close[0]}`?")
    if not name.startswith(PREFIXES):
        meant = difflib.get_close_matches(name, sorted(NAMES), n=1)
        raise ValueError(
            "a profile does not change this sysctl"
            + (f"; did you mean `{meant[0]}`?" if meant else f": only {', '.join(PREFIXES)}")
        )
    return name
