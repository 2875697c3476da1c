//! What has to be known before anything else: a run that did not come to its end, a machine that was not fit.

use super::{conditions, context, measurement};
use crate::record::FitnessVerdict;
use crate::report::chapter::{Alarm, AlarmLevel, Audience, Block, Chapter};
use crate::report::words::Source;

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    let chapter = Chapter::untitled("alarms").with_all(incomplete(source).map(Block::Alarm));
    match unfit(source) {
        Some(alarm) if alarm.level == AlarmLevel::Warning => chapter.only(Audience::PAGE, Block::Alarm(alarm)),
        alarm => chapter.with_all(alarm.map(Block::Alarm)),
    }
}

fn incomplete(source: Source<'_>) -> Option<Alarm> {
    (!source.findings.ending.complete).then(|| Alarm {
        level: AlarmLevel::Alarm,
        text: context::ending(source),
        rest: Some("What follows is what had been measured."),
        reasons: None,
    })
}

fn unfit(source: Source<'_>) -> Option<Alarm> {
    let fitness = source.findings.ending.fitness.as_ref()?;
    let level = match fitness.verdict {
        FitnessVerdict::Valid => return None,
        FitnessVerdict::Suspect => AlarmLevel::Warning,
        FitnessVerdict::Invalid => AlarmLevel::Alarm,
    };
    let text = format!("{}.", conditions::verdict(fitness).first()?);
    Some(Alarm { level, text, rest: None, reasons: Some(measurement::MACHINE) })
}
