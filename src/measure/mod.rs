//! The timed loops over a closure. One clock, no allocation, lock or output in the timed region.
//!
//! Nothing here knows an engine: a caller hands in something that runs one inference. Read `block`
//! first.

mod block;
mod clock;
mod placement;
mod serving;
mod usage;

pub use block::{
    BlockTarget, BlockTimes, Lane, Opening, WarmupRule, WarmupTimes, Work, harness_cost, run_block,
    warm_up,
};
pub use clock::{Clock, EngineClock, ManualClock, MonotonicClock};
pub use serving::{Caller, ServedSegment, ServingTarget, serve};
pub use usage::Usage;
