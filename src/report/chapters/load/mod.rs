//! A run under load: how much is held, where it breaks, what changes over time, and how that was
//! found.

mod answer;
mod arrivals;
mod batching;
mod candidates;
mod capacity;
mod cells;
mod integrity;
mod on_screen;
mod rates;
mod soak;
mod stress;
#[cfg(test)]
mod tests;

pub(super) use answer::verdict;
pub(in crate::report) use answer::{by, soaked, wrong};
pub(super) use arrivals::chapter as arrivals;
pub(super) use batching::chapter as batching;
pub(super) use candidates::chapter as candidates;
pub(super) use capacity::chapter as capacity;
pub(in crate::report) use cells::small_share;
pub(super) use integrity::{chapter as integrity, generator};
pub(super) use rates::{chapter as rates, parts};
pub(super) use soak::chapter as soak;
pub(super) use stress::{chapter as stress, saturation};

use super::{Block, Chapter, Source, prediction};
use crate::report::chapter::Place;
use crate::report::words::load::{self as words, Load};
use crate::report::words::shortened;
use answer::remarks;

/// Rows of the table of a screen.
const ROWS: usize = 8;
/// Remarks beside it.
const REMARKS: usize = 3;
/// Characters that a remark keeps there.
const REMARK_LENGTH: usize = 190;
/// Lines of a screen, without those that say where the run is, and their characters.
const LINES: usize = 22;
const COLUMNS: usize = 96;

/// One screen, as far as it goes.
pub(super) fn on_a_screen(load: Load<'_>) -> Chapter {
    let first = first_lines(load);
    let table = on_screen::table(load, ROWS);
    // The verdict stands twice; title, head and rule of the table, and blank lines between.
    let used = lines_of(&first) + lines_of(&first[..1]) + table.rows.len() + table.notes.len() + 6;
    let mut room = LINES.saturating_sub(used);
    let remarks = remarks(load)
        .into_iter()
        .map(|line| shortened(&line, REMARK_LENGTH))
        .take(REMARKS)
        .take_while(|line| {
            let lines = lines_of(std::slice::from_ref(line));
            let fits = lines <= room;
            room = room.saturating_sub(lines);
            fits
        })
        .collect();
    Chapter::untitled("screen")
        .with(Block::Verdict(first))
        .with(Block::table(Place::Open, table))
        .with(Block::Lines(remarks))
}

/// Lines that paragraphs take.
fn lines_of(paragraphs: &[String]) -> usize {
    paragraphs
        .iter()
        .map(|one| one.chars().count().div_ceil(COLUMNS))
        .sum()
}

/// The verdict, what one prediction was, and how it was served.
fn first_lines(load: Load<'_>) -> Vec<String> {
    let mut lines = vec![verdict(load)];
    lines.extend(prediction::lines(load.source.record));
    lines.push(served(load));
    lines
}

/// The verdict, what one prediction was, how it was served, and what changes most beside it.
pub(super) fn answer(source: Source<'_>) -> Chapter {
    let chapter = Chapter::untitled("answer");
    let Some(load) = Load::of(source) else {
        return chapter;
    };
    let mut lines = first_lines(load);
    lines.extend(remarks(load));
    chapter.with(Block::Verdict(lines))
}

/// How requests arrive and how they are served, as far as that is alike.
fn served(load: Load<'_>) -> String {
    let servings = load.plan.servings.as_slice();
    let by = match servings {
        [one] => format!("served by {}", words::serving(one)),
        several => format!("served in {} ways", several.len()),
    };
    format!("Load: {}; {by}.", words::arrivals(load))
}
