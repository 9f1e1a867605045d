//! Breaks both ends on purpose: seeded simulation, power cuts, exhaustive model.

pub mod decode;
pub mod failing;
pub mod kill;
pub mod model;
pub mod power_cut;
pub mod torture;
pub mod world;
