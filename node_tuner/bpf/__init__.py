"""An eBPF program that marks packets: assembled, loaded and named without a compiler."""
