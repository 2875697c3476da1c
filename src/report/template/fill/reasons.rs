//! Reasons why a run says nothing of a field.

pub(super) const NO_DATABASE: &str = "a model's inference uses no database";
pub(super) const NO_NETWORK: &str = "inference was measured on one machine, without a network";
pub(super) const NATIVE: &str = "inference runs in native code";
pub(super) const NO_STRESS: &str = "the run applied no more load than its plan says";
pub(super) const NO_TRAINING: &str = "an inference profile";
pub(super) const NOTHING_RECOMMENDED: &str = "nothing could be recommended";
pub(super) const NO_BASELINE: &str = "the run has no baseline session";
