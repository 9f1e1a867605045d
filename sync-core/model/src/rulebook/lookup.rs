//! Lookups in the rulebook. Being filled in.
