"""The numbers that a setting can be: net/ipv4/sysctl_net_ipv4.c, net/core/sysctl_net_core.c and their like. Where
kernels from 5.10 on differ, the widest limit of those that have one stands here. Before 5.13 many a byte was an int
that had none: what is beyond 255 was taken there, and meant no more than 255 does."""

from collections.abc import Mapping

from node_tuner.profile.rules import MAX_INT

_POSITIVE = (1, MAX_INT)
_SWITCH = (0, 1)
_BYTE = (0, 255)
"""Also of most switches, of which all but 0 is on."""
_ULONG = (0, 2**64 - 1)
_PAGES = (0, 2**63 - 1)
_SLOWEST_HZ = 100
_SECONDS = (0, MAX_INT // _SLOWEST_HZ)
"""The kernel keeps jiffies in an int (kernel/time/jiffies.c `proc_dointvec_jiffies`)."""

_NAMES: Mapping[tuple[int, int], str] = {
    _POSITIVE: """net.core.gro_normal_batch net.core.netdev_budget net.core.netdev_max_backlog
        net.ipv4.tcp_max_reordering net.ipv4.tcp_reordering net.ipv4.tcp_rmem net.ipv4.tcp_rto_min_us net.ipv4.tcp_wmem
        net.ipv4.udp_rmem_min net.ipv4.udp_wmem_min net.netfilter.nf_conntrack_buckets
        net.netfilter.nf_conntrack_max""",
    _SWITCH: """kernel.nmi_watchdog kernel.timer_migration net.core.high_order_alloc_disable net.core.txrehash
        net.ipv4.tcp_autocorking net.ipv4.tcp_backlog_ack_defer net.ipv4.tcp_ecn_fallback net.ipv4.tcp_migrate_req
        net.ipv4.tcp_no_ssthresh_metrics_save net.ipv4.tcp_reflect_tos net.ipv4.tcp_shrink_window
        net.netfilter.nf_conntrack_acct net.netfilter.nf_conntrack_checksum net.netfilter.nf_conntrack_timestamp""",
    _BYTE: """net.ipv4.ip_early_demux net.ipv4.ip_no_pmtu_disc net.ipv4.ip_nonlocal_bind net.ipv4.tcp_comp_sack_nr
        net.ipv4.tcp_dsack net.ipv4.tcp_early_demux net.ipv4.tcp_frto net.ipv4.tcp_keepalive_probes
        net.ipv4.tcp_moderate_rcvbuf net.ipv4.tcp_mtu_probing net.ipv4.tcp_no_metrics_save net.ipv4.tcp_orphan_retries
        net.ipv4.tcp_recovery net.ipv4.tcp_retries1 net.ipv4.tcp_retries2 net.ipv4.tcp_sack
        net.ipv4.tcp_slow_start_after_idle net.ipv4.tcp_synack_retries net.ipv4.tcp_thin_linear_timeouts
        net.ipv4.tcp_timestamps net.ipv4.tcp_tso_win_divisor net.ipv4.tcp_window_scaling net.ipv4.udp_early_demux
        net.ipv6.bindv6only net.ipv6.flowlabel_consistency net.ipv6.flowlabel_state_ranges""",
    _ULONG: """net.ipv4.ipfrag_high_thresh net.ipv4.ipfrag_low_thresh net.ipv4.tcp_comp_sack_delay_ns
        net.ipv4.tcp_comp_sack_slack_ns net.ipv6.ip6frag_high_thresh net.ipv6.ip6frag_low_thresh""",
    _PAGES: "net.ipv4.tcp_mem net.ipv4.udp_mem",
    _SECONDS: """net.ipv4.ipfrag_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_time
        net.ipv6.ip6frag_time net.netfilter.nf_conntrack_generic_timeout
        net.netfilter.nf_conntrack_tcp_timeout_established net.netfilter.nf_conntrack_tcp_timeout_fin_wait
        net.netfilter.nf_conntrack_tcp_timeout_time_wait net.netfilter.nf_conntrack_udp_timeout
        net.netfilter.nf_conntrack_udp_timeout_stream""",
    (0, 2): "net.ipv4.tcp_tw_reuse",
    (0, 3): "net.ipv4.fib_multipath_hash_policy net.ipv6.auto_flowlabels net.ipv6.fib_multipath_hash_policy",
    (0, 4): "kernel.numa_balancing net.ipv4.tcp_early_retrans",
    (0, 5): "net.ipv4.tcp_ecn",
    (0, 7): "net.ipv6.flowlabel_reflect",
    (0, 127): "net.ipv4.tcp_syn_linear_timeouts",
    (0, 200): "vm.swappiness",
    (0, 1000): "net.ipv4.tcp_pacing_ca_ratio net.ipv4.tcp_pacing_ss_ratio",
    (0, 86_400): "net.ipv4.tcp_min_rtt_wlen",
    (0, 1 << 16): "net.ipv4.udp_child_hash_entries",
    (0, 1 << 24): "net.ipv4.tcp_child_ehash_entries",
    (0, 1 << 29): "net.core.rps_sock_flow_entries",
    (0, (2**32 - 1) // _SLOWEST_HZ): "net.ipv4.tcp_probe_interval",
    (0, 2**32 - 1): "net.ipv4.tcp_notsent_lowat",
    (1, 45): "net.core.max_skb_frags",
    (1, 127): "net.ipv4.tcp_syn_retries",
    (1, 255): "net.ipv4.ip_default_ttl net.ipv4.tcp_pingpong_thresh",
    (1, 60_000): "net.ipv4.tcp_tw_reuse_delay",
    (1, 65_535): "net.ipv4.ip_local_port_range net.ipv4.tcp_min_tso_segs",
    (1, MAX_INT // _SLOWEST_HZ): "vm.stat_interval",
    (16, MAX_INT): "net.core.mem_pcpu_rsv",
    (48, 65_535): "net.ipv4.tcp_mtu_probe_floor",
    (1000, 120_000): "net.ipv4.tcp_rto_max_ms",
    (2304, MAX_INT): "net.core.rmem_default net.core.rmem_max",
    (4608, MAX_INT): "net.core.wmem_default net.core.wmem_max",
}

LIMITS: Mapping[str, tuple[int, int]] = {
    name: least_and_greatest for least_and_greatest, names in _NAMES.items() for name in names.split()
}

_ANY = (0, MAX_INT)

MEMORY_UNITS: Mapping[str, str] = {
    "net.ipv4.tcp_mem": "pages",
    "net.ipv4.udp_mem": "pages",
    "vm.min_free_kbytes": "kB",
}
"""What counts memory, and not in bytes."""


def limits(name: str) -> tuple[int, int]:
    """The least and the greatest number that the kernel takes, as far as is known."""
    return LIMITS.get(name, _ANY)
