"""The image, running: its entry points in containers, as a pod of the DaemonSet has them, and a browser outside."""
