//! Rounds under load: in each, fresh processes of every candidate, in which requests arrive segment
//! by segment as a guide asks.

mod processes;
mod segment;

use super::{LoadGuide, LoadMove, Result, Run};
use crate::record::EndReason;
use processes::Served;

/// Serves as the guide asks until it has enough.
pub(super) async fn measure(run: &mut Run<'_>, guide: &mut dyn LoadGuide) -> Result<EndReason> {
    let Some(plan) = run.plan().load.clone() else {
        return Ok(EndReason::NothingLeft);
    };
    let mut served = Served::default();
    loop {
        match guide.next(run.record(), run.clock()) {
            LoadMove::Segment(next) => {
                served.begin_round(run, next.round).await?;
                segment::serve(run, &plan, &mut served, next).await?;
            }
            LoadMove::End { reason, note } => {
                served.end(run).await?;
                if let Some(note) = note {
                    run.note(note)?;
                }
                return Ok(reason);
            }
        }
    }
}
