"""HTTP: WHIP and WHEP signalling, the pages, the control API and what operations ask for."""
