"""What this kernel, these NICs and these privileges allow."""
