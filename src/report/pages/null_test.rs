//! The smallest differences that may be claimed on a machine, as a table.

use crate::analysis::{Estimate, Pairing, SmallestClaim};
use crate::report::words::{self, Builder, Table, number};
use crate::text::Plain;

const HEADER: [&str; 5] = [
    "metric",
    "smallest difference",
    "copy / original",
    "launches",
    "compared",
];

pub(in crate::report) fn smallest_claims(claims: &[SmallestClaim]) -> Table {
    let mut table = Builder::new(
        "Smallest difference that may be claimed on this machine today",
        &HEADER,
    );
    for claim in claims {
        let cells = cells(&mut table, claim);
        table.plain_row(cells);
    }
    let note = "The same file was measured as two variants. A smaller difference between two models than the one given \
                here is not told from noise: it is the larger of the metric's noise floor and the farther end of the \
                95% interval of copy / original.";
    table.finish([note.into()])
}

fn cells(table: &mut Builder, claim: &SmallestClaim) -> Vec<String> {
    // The baseline's values stand in the table's note.
    let name = claim.metric.label().trim_end_matches(" to baseline");
    let ratio = table.figure("copy / original", name, Some(&claim.ratio), ratio);
    let smallest = match claim.smallest_ratio {
        Some(smallest) => number::share(smallest.0),
        None => table.absence(HEADER[1], name, &no_claim(&claim.ratio)),
    };
    let floor = if claim.noise_floor.is_some() && claim.smallest_ratio == claim.noise_floor {
        " (noise floor)"
    } else {
        ""
    };
    let n = claim
        .ratio
        .measured()
        .map(|measured| number::count(measured.n));
    let compared = match claim.pairing {
        Pairing::Blocks => "block by block",
        Pairing::Rounds => "round by round",
        Pairing::Launches => "launch by launch",
    };
    vec![
        name.into(),
        format!("{smallest}{floor}"),
        ratio,
        n.unwrap_or_default(),
        compared.into(),
    ]
}

fn no_claim(ratio: &Estimate) -> Plain {
    match ratio {
        Estimate::Measured(measured) => measured
            .remark
            .clone()
            .unwrap_or_else(|| "there is no interval".into()),
        Estimate::Absent { reason, .. } => reason.clone(),
    }
}

/// With thousandths, because the smallest difference has tenths of a percent.
fn ratio(estimate: &Estimate) -> String {
    let Some(measured) = estimate.measured() else {
        return words::not_measured("no launch reported it");
    };
    match measured.interval {
        Some(interval) => format!(
            "{:.3} ({:.3} to {:.3})",
            measured.value, interval.low, interval.high
        ),
        None => format!("{:.3}", measured.value),
    }
}
