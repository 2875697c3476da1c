//! Which sessions are drawn as lines, and in which colours.

use super::{Form, PointView, SeriesView};
use crate::analysis::SessionFindings;
use crate::report::words::{Source, text};

/// Lines that still differ in one chart, by colour and mark.
pub(super) const MOST: usize = 8;

/// Characters of a name in a legend.
const NAME_WIDTH: usize = 36;

pub(super) struct Cast<'a> {
    pub(super) source: Source<'a>,
    /// Indices of sessions, in the order of the plan; the place of each is the number of its
    /// colour.
    pub(super) sessions: Vec<usize>,
    /// Their names, as legends have them.
    names: Vec<String>,
    left_out_count: usize,
}

impl<'a> Cast<'a> {
    /// The baseline, what is recommended, then the others as far as there is room.
    pub(super) fn of(source: Source<'a>) -> Self {
        let picks: Vec<usize> = source.picks().map(|pick| pick.key.session).collect();
        let mut measured: Vec<&SessionFindings> = source.measured().collect();
        let left_out_count = measured.len().saturating_sub(MOST);
        measured.sort_by_key(|session| !(session.is_baseline || picks.contains(&session.session)));
        measured.truncate(MOST);
        let mut sessions: Vec<usize> = measured.iter().map(|session| session.session).collect();
        sessions.sort_unstable();
        let names: Vec<String> = sessions.iter().map(|&one| source.name(one)).collect();
        Cast {
            source,
            names: text::distinct_names(&names, NAME_WIDTH),
            sessions,
            left_out_count,
        }
    }

    /// A series for each session, of its points.
    pub(super) fn series(
        &self,
        form: Form,
        points: impl Fn(usize) -> Vec<PointView>,
    ) -> impl Iterator<Item = SeriesView> {
        self.sessions
            .iter()
            .enumerate()
            .map(move |(color, &session)| SeriesView {
                name: Some(self.names[color].clone()),
                color,
                form,
                points: points(session),
            })
    }

    /// The name of one of `sessions` in a legend.
    pub(super) fn short_name(&self, place: usize) -> String {
        self.names[place].clone()
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
