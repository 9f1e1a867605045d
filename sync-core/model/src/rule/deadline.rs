//! Deadlines: when a period of the law ends, or that it cannot be computed.
