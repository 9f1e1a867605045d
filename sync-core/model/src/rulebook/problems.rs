//! What is wrong with a rulebook at import. Being filled in.
