//! Which sessions are drawn as lines, and in which colours.

use crate::analysis::SessionFindings;
use crate::report::words::Source;

/// Lines that can still be told apart in one chart, by colour and mark.
const MOST: usize = 8;

#[derive(Clone, Copy)]
pub(super) struct Drawn {
    pub(super) session: usize,
    pub(super) color: usize,
}

pub(super) struct Cast {
    /// Indices of sessions, in the order of the plan; the place of each is the number of its
    /// colour.
    sessions: Vec<usize>,
    left_out_count: usize,
}

impl Cast {
    /// The baseline, what is recommended, then the others as far as there is room.
    pub(super) fn of(source: Source<'_>) -> Self {
        let answer = &source.findings.decisions.answer;
        let picks: Vec<usize> = [&answer.latency, &answer.throughput]
            .into_iter()
            .filter_map(|choice| Some(choice.pick()?.key.session))
            .collect();
        let mut measured: Vec<&SessionFindings> = source
            .findings
            .sessions
            .iter()
            .filter(|session| session.outcome.is_ok())
            .collect();
        let left_out_count = measured.len().saturating_sub(MOST);
        measured.sort_by_key(|session| !(session.is_baseline || picks.contains(&session.session)));
        let mut sessions: Vec<usize> = measured
            .into_iter()
            .take(MOST)
            .map(|session| session.session)
            .collect();
        sessions.sort_unstable();
        Cast {
            sessions,
            left_out_count,
        }
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = Drawn> {
        self.sessions
            .iter()
            .enumerate()
            .map(|(color, &session)| Drawn { session, color })
    }

    pub(super) fn color(&self, session: usize) -> Option<usize> {
        self.sessions.iter().position(|&drawn| drawn == session)
    }

    pub(super) fn remark(&self) -> String {
        match self.left_out_count {
            0 => String::new(),
            1 => " One more variant is in the tables only.".into(),
            more => format!(" {more} more variants are in the tables only."),
        }
    }
}
