"""LL-HLS: boxes read back by a reader of their own and by libavformat."""
