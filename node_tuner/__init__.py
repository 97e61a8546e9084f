"""Makes a node fit for media, proves it, and undoes it: `railbird-tuner`. See docs/node-tuner.md."""
