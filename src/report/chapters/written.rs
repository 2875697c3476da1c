//! The headings and fields of the performance template that a written report holds.

use super::advice::{self, AdviceView, PhaseView, PriorityView};
use super::bottlenecks::{self, Entry};
use super::{Block, Chapter, Item, Key, Source, items};
use crate::report::chapter::{Label, Numbered};

pub(super) fn baseline(source: Source<'_>) -> Chapter {
    Chapter::new("baseline", "", "Baseline Performance Analysis")
        .titled()
        .with(Block::heading("AI/ML Performance Baseline (if applicable)"))
        .with_all(labelled(
            "Model Inference Performance",
            items(source, |key| matches!(key, Key::Inference(_))),
        ))
        .with_all(labelled(
            "Training Performance",
            items(source, |key| matches!(key, Key::TrainingPerformance(_))),
        ))
}

fn labelled(label: &str, items: Vec<Item>) -> [Block; 2] {
    [Block::label(label), Block::Items(items)]
}

pub(super) fn bottlenecks(source: Source<'_>) -> Chapter {
    Chapter::new("bottlenecks", "", "Performance Bottleneck Analysis")
        .titled()
        .with(Block::heading("AI/ML Bottlenecks (if applicable)"))
        .with(Block::numbered(bottlenecks::bottlenecks(source)))
}

pub(super) fn strategy(source: Source<'_>) -> Chapter {
    Chapter::new("strategy", "", "Optimization Strategy")
        .titled()
        .with(Block::heading("Optimization Priorities"))
        .with(Block::Legend(advice::rules()))
        .with_all(
            advice::priorities(source)
                .into_iter()
                .zip(1..)
                .map(|(one, number)| priority(one, number)),
        )
}

fn priority(one: PriorityView, number: usize) -> Block {
    let none = ["Optimization Area", "Implementation Effort", "Risk Level"];
    let fields = if one.advice.is_empty() {
        none.map(|label| Item::new(label, one.none.clone()))
            .to_vec()
    } else {
        one.advice.iter().flat_map(piece).collect()
    };
    let entries = vec![Entry {
        title: one.label,
        fields,
    }];
    Block::Numbered(Numbered {
        first: number,
        remark: one.impact,
        entries,
    })
}

fn piece(advice: &AdviceView) -> [Item; 7] {
    let item = |label: &str, text: &String| Item::new(label, text.clone());
    [
        item(&advice.area, &advice.gain),
        item("Implementation Effort", &advice.effort),
        item("Risk Level", &advice.risk),
        item("Accuracy Cost", &advice.accuracy),
        item("Memory Cost", &advice.memory),
        item("Evidence", &advice.evidence),
        Item::code("Measure Again", advice.command.clone()),
    ]
}

pub(super) fn plan(source: Source<'_>) -> Chapter {
    let entry = |first: usize, title: &str, fields: Vec<Item>| {
        let entries = vec![Entry {
            title: title.into(),
            fields,
        }];
        Block::Numbered(Numbered {
            first,
            remark: String::new(),
            entries,
        })
    };
    Chapter::untitled("plan")
        .with(Block::heading("Optimization Techniques"))
        .with(Block::subheading("AI/ML Optimizations (if applicable)"))
        .with(entry(
            1,
            "Model Optimization",
            items(source, |key| matches!(key, Key::ModelOptimization(_))),
        ))
        .with(entry(
            2,
            "Data Pipeline Optimization",
            items(source, |key| matches!(key, Key::DataPipeline(_))),
        ))
        .with(Block::part("Implementation Plan"))
        .with_all(advice::phases(source).into_iter().flat_map(phase))
        .with(Block::heading(
            "AI/ML Optimization Timeline (if applicable)",
        ))
        .with_all(labelled(
            "Model Optimization Schedule",
            items(source, |key| matches!(key, Key::Timeline(_))),
        ))
        .with(Block::part("Performance Testing Plan"))
        .with(Block::heading("Success Criteria"))
        .with(Block::Label(Label {
            text: "AI Performance Targets".into(),
            remark: "if applicable".into(),
        }))
        .with(Block::Items(items(source, |key| {
            matches!(key, Key::AiTargets(_))
        })))
        .with(Block::part("Risk Assessment"))
        .with(Block::heading("AI/ML Risks (if applicable)"))
        .with(entry(
            1,
            "Model Performance Degradation",
            items(source, |key| matches!(key, Key::Degradation(_))),
        ))
        .with(Block::part("Success Measurement"))
        .with(Block::heading("Performance Improvement Metrics"))
        .with_all(labelled(
            "Before vs. After Comparison",
            items(source, |key| matches!(key, Key::BeforeAfter(_))),
        ))
}

fn phase(phase: PhaseView) -> [Block; 3] {
    [
        Block::heading(phase.title),
        Block::label(phase.kind),
        Block::numbered(phase.tasks),
    ]
}
