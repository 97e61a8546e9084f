"""The kernel's settings that a profile may change: admin-guide/sysctl and ip-sysctl.rst."""

import difflib
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

_KNOWN = {
    "net.core": """busy_poll busy_read default_qdisc dev_weight dev_weight_rx_bias dev_weight_tx_bias gro_normal_batch
        high_order_alloc_disable max_skb_frags mem_pcpu_rsv netdev_budget netdev_budget_usecs netdev_max_backlog
        netdev_tstamp_prequeue optmem_max rmem_default rmem_max rps_sock_flow_entries skb_defer_max somaxconn txrehash
        wmem_default wmem_max""",
    "net.ipv4": """fib_multipath_hash_policy ip_default_ttl ip_early_demux ip_local_port_range ip_local_reserved_ports
        ip_no_pmtu_disc ip_nonlocal_bind ipfrag_high_thresh ipfrag_low_thresh ipfrag_time tcp_autocorking
        tcp_backlog_ack_defer tcp_child_ehash_entries tcp_comp_sack_delay_ns tcp_comp_sack_nr tcp_comp_sack_slack_ns
        tcp_congestion_control tcp_dsack tcp_early_demux tcp_early_retrans tcp_ecn tcp_ecn_fallback tcp_fastopen
        tcp_fin_timeout tcp_frto tcp_keepalive_intvl tcp_keepalive_probes tcp_keepalive_time tcp_limit_output_bytes
        tcp_max_orphans tcp_max_reordering tcp_max_syn_backlog tcp_max_tw_buckets tcp_mem tcp_migrate_req
        tcp_min_rtt_wlen tcp_min_tso_segs tcp_moderate_rcvbuf tcp_mtu_probe_floor tcp_mtu_probing tcp_no_metrics_save
        tcp_no_ssthresh_metrics_save tcp_notsent_lowat tcp_orphan_retries tcp_pacing_ca_ratio tcp_pacing_ss_ratio
        tcp_pingpong_thresh tcp_probe_interval tcp_probe_threshold tcp_recovery tcp_reflect_tos tcp_reordering
        tcp_retries1 tcp_retries2 tcp_rmem tcp_rto_max_ms tcp_rto_min_us tcp_sack tcp_shrink_window
        tcp_slow_start_after_idle tcp_syn_linear_timeouts tcp_syn_retries tcp_synack_retries tcp_thin_linear_timeouts
        tcp_timestamps tcp_tso_win_divisor tcp_tw_reuse tcp_tw_reuse_delay tcp_window_scaling tcp_wmem
        udp_child_hash_entries udp_early_demux udp_mem udp_rmem_min udp_wmem_min""",
    "net.ipv6": """auto_flowlabels bindv6only fib_multipath_hash_policy flowlabel_consistency flowlabel_reflect
        flowlabel_state_ranges ip6frag_high_thresh ip6frag_low_thresh ip6frag_time""",
    "net.netfilter": """nf_conntrack_acct nf_conntrack_buckets nf_conntrack_checksum nf_conntrack_expect_max
        nf_conntrack_generic_timeout nf_conntrack_max nf_conntrack_tcp_timeout_established
        nf_conntrack_tcp_timeout_fin_wait nf_conntrack_tcp_timeout_time_wait nf_conntrack_timestamp
        nf_conntrack_udp_timeout nf_conntrack_udp_timeout_stream""",
    "kernel": "nmi_watchdog numa_balancing timer_migration",
    "vm": "min_free_kbytes stat_interval swappiness",
}

NAMES = frozenset(f"{prefix}.{name}" for prefix, names in _KNOWN.items() for name in names.split())
"""How a node carries media. None of them says who may do what on it, and the write of one moves no other, so that
restore is exact: a test tries each. Of the settings of newer kernels nobody has seen that yet."""

_MOVES = "its write moves settings of interfaces too, so that restore would not be exact"
_SECURES = "it says who may do what on the node, which is not for a profile of media to change"

_REFUSED: Mapping[str, str] = {
    "net.ipv4.ip_forward": _MOVES,
    "net.ipv?.conf.*": _MOVES,
    "net.ipv?.neigh.*": _MOVES,
    "net.nf_conntrack_max": "it is net.netfilter.nf_conntrack_max by another name: say that one",
    "net.core.bpf_jit_*": _SECURES,
    "net.core.flow_limit_*": "the kernel takes powers of two and masks of cores alone",
    "net.core.rps_default_mask": "say queues.rps, which knows the cores and the interface",
    "net.core.tstamp_allow_data": _SECURES,
    "net.ipv4.icmp_*": _SECURES,
    "net.ipv4.ip_unprivileged_port_start": _SECURES,
    "net.ipv4.ping_group_range": _SECURES,
    "net.ipv4.tcp_allowed_congestion_control": _SECURES,
    "net.ipv4.tcp_challenge_ack_limit": _SECURES,
    "net.ipv4.tcp_fastopen_key": _SECURES,
    "net.ipv4.tcp_min_snd_mss": _SECURES,
    "net.ipv4.tcp_rfc1337": _SECURES,
    "net.ipv4.tcp_syncookies": _SECURES,
    "net.netfilter.nf_conntrack_helper": _SECURES,
    "net.netfilter.nf_conntrack_tcp_be_liberal": _SECURES,
    "net.netfilter.nf_conntrack_tcp_loose": _SECURES,
}
"""Patterns of names, and why a profile may not change what many a tuning guide does."""

TEXTS = frozenset({"net.core.default_qdisc", "net.ipv4.tcp_congestion_control"})
"""Of NAMES, those that are no numbers."""

PORT_LISTS = frozenset({"net.ipv4.ip_local_reserved_ports"})

FIELDS: Mapping[str, int] = {
    "net.ipv4.ip_local_port_range": 2,
    "net.ipv4.tcp_mem": 3,
    "net.ipv4.tcp_rmem": 3,
    "net.ipv4.tcp_wmem": 3,
    "net.ipv4.udp_mem": 3,
}
"""How many numbers they have, where it is not one."""

_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
_ONLY = "only those of which it is known that they are about packets, and that a write moves no other"
_LIKE = 0.9
"""How alike a name must be to one of NAMES to be taken for a typing error: rmem_mx is, busy_read (to busy_poll) not."""


def check_name(name: str) -> str:
    """ValueError for what is no such setting, or none that a profile may change."""
    if not _NAME.fullmatch(name):
        raise ValueError("expected the name of a sysctl, with dots, such as net.core.rmem_max")
    if name in NAMES:
        return name
    for pattern, reason in _REFUSED.items():
        if fnmatchcase(name, pattern):
            raise ValueError(f"a profile does not change this sysctl: {reason}")
    if close := difflib.get_close_matches(name, sorted(NAMES), n=1, cutoff=_LIKE):
        raise ValueError(f"there is no such sysctl; did you mean `{close[0]}`?")
    meant = difflib.get_close_matches(name, sorted(NAMES), n=1)
    raise ValueError(
        "a profile does not change this sysctl" + (f"; did you mean `{meant[0]}`?" if meant else f": {_ONLY}")
    )
