//! What the handheld is connected to, each behind one small trait.

pub mod camera;
