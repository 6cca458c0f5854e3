"""How far each part of an electrode moved between two states, by digital volume correlation."""
