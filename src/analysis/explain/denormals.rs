//! Whether denormal numbers slow sessions down, from sessions contrasted with themselves.

use super::explanation::DenormalFindings;
use crate::analysis::figures::Change;
use crate::analysis::figures::change::judge;
use crate::metric::Metric;
use crate::record::{Contrast, RunRecord};
use crate::stats::END_ERROR;
use crate::text::Plain;

const OPTION: &str = "session.set_denormal_as_zero=1";

pub(in crate::analysis) fn denormals(record: &RunRecord) -> Vec<DenormalFindings> {
    let contrasts = record.contrasts.iter().filter(|contrast| contrast.option == OPTION);
    let mut found: Vec<DenormalFindings> = contrasts.map(one).collect();
    // Those that one pair of launches sufficed for cannot have a verdict, and take no part in the others'.
    let is_judged = |change: &&mut Change| change.ratio.interval().is_some();
    let changes = found.iter_mut().filter_map(|found| found.change.as_mut());
    let mut changes: Vec<&mut Change> = changes.filter(is_judged).collect();
    judge(Metric::LatencyP50RatioToBaseline, &mut changes, END_ERROR);
    found
}

fn one(contrast: &Contrast) -> DenormalFindings {
    let contrasted = contrast.found.as_ref();
    let change = contrasted.map_err(Plain::clone).and_then(|found| {
        let change = Change::paired(Metric::LatencyP50RatioToBaseline, &found.log_ratios);
        change.ok_or_else(|| "no pair of blocks gave a ratio".into())
    });
    DenormalFindings {
        session: contrast.session,
        batch_size: contrast.batch_size,
        flushed_ns: contrasted.ok().map(|found| found.changed_ns.0.cast_signed()),
        unchanged_ns: contrasted.ok().map(|found| found.unchanged_ns.0.cast_signed()),
        absent_reason: change.as_ref().err().cloned(),
        change: change.ok(),
    }
}
