//! Bottlenecks of the variants, advice on them, and possibilities that were not tried.

use super::{Audience, Block, Chapter, Item, Key, Source, items};

use super::advice::{self, AdviceView, PriorityView};
use super::{bottlenecks, implementation_plan, not_tried};

const NOTHING_KNOWN: &str = "Nothing is known of these, because this run did not measure them. Words in capitals are to \
be filled in.";

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("advice", "Advice", "What limits, and what to do")
        .with(Block::numbered(bottlenecks::bottlenecks(source)))
        .with(Block::heading("Advice"))
        .with(Block::Legend(advice::rules()))
        .with_all(advice::priorities(source).iter().flat_map(priority))
        .with_all(untried(source))
        .with(Block::heading("Implementation plan"));
    let phases = implementation_plan::phases(source)
        .into_iter()
        .flat_map(|phase| [Block::subheading(phase.title), Block::numbered(phase.tasks)]);
    chapter.with_all(phases).items(
        "AI performance targets",
        items(source, |key| matches!(key, Key::AiTargets(_))),
    )
}

fn priority(one: &PriorityView) -> Vec<Block> {
    let title = format!("{} ({})", one.label, one.impact);
    let mut blocks = vec![Block::subheading(title)];
    match one.advice.as_slice() {
        [] => blocks.push(Block::Absent(one.none.clone())),
        advice => blocks.extend(advice.iter().flat_map(piece)),
    }
    blocks
}

fn piece(advice: &AdviceView) -> [Block; 3] {
    let items = [
        ("Effort", &advice.effort),
        ("Risk", &advice.risk),
        ("Accuracy", &advice.accuracy),
        ("Memory", &advice.memory),
        ("Evidence", &advice.evidence),
    ];
    [
        Block::Lead(Item::new(advice.area.clone(), advice.gain.clone())),
        Block::Items(
            items
                .map(|(label, text)| Item::new(label, text.clone()))
                .to_vec(),
        ),
        Block::Command(advice.command.clone()),
    ]
}

/// Untried settings: in a summary how much of it there is, in Markdown each with its command.
pub(super) fn not_tried(source: Source<'_>) -> Chapter {
    let chapter = Chapter::untitled("advice");
    let Some(line) = not_tried::not_tried_line(source) else {
        return chapter;
    };
    let chapter = chapter.only(Audience::SUMMARY, Block::Sentence(line));
    untried(source).into_iter().fold(chapter, |chapter, block| {
        chapter.only(Audience::MARKDOWN, block)
    })
}

fn untried(source: Source<'_>) -> Vec<Block> {
    let items = not_tried::not_tried(source);
    if items.is_empty() {
        return Vec::new();
    }
    vec![
        Block::heading("Not tried"),
        Block::Legend(NOTHING_KNOWN.into()),
        Block::Commands(items),
    ]
}
