"""Who somebody is and what they may do: tokens, their keys, their claims."""
