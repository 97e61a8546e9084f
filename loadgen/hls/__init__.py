"""LL-HLS players as real ones behave: what they ask for, in which order, and what somebody who watches would see."""
