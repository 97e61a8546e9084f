"""WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) seen from the client: offers, answers, HTTP."""
