"""One test for each rule of draft-pantos-hls-rfc8216bis-22 about low-latency live playlists and the server of them.

`scenario.py` runs a gateway once, with studios, and writes down what it answers (`recording.py`). The rules (`rules/`)
are pure functions that read this and say what is broken; `test_section_*.py` holds one test a rule, named by section.
Nothing here is shared with the gateway: `reader.py` and `boxes.py` are written from the draft and from ISO 14496-12.
`test_rules_can_fail.py` breaks a small stream made by hand, one rule at a time, and sees that the rule notices.
"""
