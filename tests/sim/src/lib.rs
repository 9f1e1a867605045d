//! Breaks both ends on purpose: seeded simulation, power cuts, exhaustive model.

pub mod failing;
pub mod kill;
pub mod power_cut;
