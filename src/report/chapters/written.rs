//! The headings and fields of the performance template that a written report holds.

use super::advice::{self, AdviceView, PriorityView};
use super::bottlenecks::{self, Entry};
use super::implementation_plan::{self, PhaseView};
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
    let entry = Entry {
        fields: fields(&one),
        title: one.label,
    };
    Block::Numbered(Numbered {
        first: number,
        remark: one.impact,
        entries: vec![entry],
    })
}

fn fields(one: &PriorityView) -> Vec<Item> {
    if !one.advice.is_empty() {
        return one.advice.iter().flat_map(piece).collect();
    }
    ["Optimization Area", "Implementation Effort", "Risk Level"]
        .map(|label| Item::new(label, one.none.clone()))
        .to_vec()
}

fn piece(advice: &AdviceView) -> [Item; 7] {
    let [gain, effort, risk, accuracy, memory, evidence] = [
        (advice.area.as_str(), &advice.gain),
        ("Implementation Effort", &advice.effort),
        ("Risk Level", &advice.risk),
        ("Accuracy Cost", &advice.accuracy),
        ("Memory Cost", &advice.memory),
        ("Evidence", &advice.evidence),
    ]
    .map(|(label, text)| Item::new(label, text.clone()));
    [
        gain,
        effort,
        risk,
        accuracy,
        memory,
        evidence,
        Item::code("Measure Again", advice.command.clone()),
    ]
}

pub(super) fn plan(source: Source<'_>) -> Chapter {
    let chapter = Chapter::untitled("plan")
        .with_all(techniques(source))
        .with(Block::part("Implementation Plan"))
        .with_all(
            implementation_plan::phases(source)
                .into_iter()
                .flat_map(phase),
        );
    chapter
        .with_all(timeline(source))
        .with_all(testing(source))
        .with_all(risks(source))
        .with_all(success(source))
}

fn techniques(source: Source<'_>) -> [Block; 4] {
    let model = items(source, |key| matches!(key, Key::ModelOptimization(_)))
        .into_iter()
        .map(|item| told_above(source, item))
        .collect();
    let data = items(source, |key| matches!(key, Key::DataPipeline(_)));
    [
        Block::heading("Optimization Techniques"),
        Block::subheading("AI/ML Optimizations (if applicable)"),
        numbered(1, "Model Optimization", model),
        numbered(2, "Data Pipeline Optimization", data),
    ]
}

/// A field of which the parts above say all: where it is said.
fn told_above(source: Source<'_>, item: Item) -> Item {
    let place = match item.label.as_str() {
        "Model Compression" => format!("Variants at {}", source.single_batch()),
        "Batch Optimization" if !source.findings.scaling.is_empty() => {
            "Batch size and shape".into()
        }
        _ => return item,
    };
    Item::new(item.label, format!("each variant stands under \"{place}\""))
}

fn timeline(source: Source<'_>) -> [Block; 3] {
    let timeline = items(source, |key| matches!(key, Key::Timeline(_)));
    let [label, timeline] = labelled("Model Optimization Schedule", timeline);
    [
        Block::heading("AI/ML Optimization Timeline (if applicable)"),
        label,
        timeline,
    ]
}

fn testing(source: Source<'_>) -> [Block; 4] {
    let targets = items(source, |key| matches!(key, Key::AiTargets(_)));
    [
        Block::part("Performance Testing Plan"),
        Block::heading("Success Criteria"),
        Block::Label(Label {
            text: "AI Performance Targets".into(),
            remark: "if applicable".into(),
        }),
        Block::Items(targets),
    ]
}

fn risks(source: Source<'_>) -> [Block; 3] {
    let degradation = items(source, |key| matches!(key, Key::Degradation(_)));
    [
        Block::part("Risk Assessment"),
        Block::heading("AI/ML Risks (if applicable)"),
        numbered(1, "Model Performance Degradation", degradation),
    ]
}

fn success(source: Source<'_>) -> [Block; 4] {
    let before_after = items(source, |key| matches!(key, Key::BeforeAfter(_)));
    let [label, before_after] = labelled("Before vs. After Comparison", before_after);
    [
        Block::part("Success Measurement"),
        Block::heading("Performance Improvement Metrics"),
        label,
        before_after,
    ]
}

fn numbered(first: usize, title: &str, fields: Vec<Item>) -> Block {
    let entry = Entry {
        title: title.into(),
        fields,
    };
    Block::Numbered(Numbered {
        first,
        remark: String::new(),
        entries: vec![entry],
    })
}

fn phase(phase: PhaseView) -> [Block; 3] {
    [
        Block::heading(phase.title),
        Block::label(phase.kind),
        Block::numbered(phase.tasks),
    ]
}
