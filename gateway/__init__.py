"""railbird's gateway: studios publish by WHIP, players watch by WHEP, all media through one UDP port."""
