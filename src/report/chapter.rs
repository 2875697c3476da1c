//! A chapter of the reports: what it says, in blocks that every paper lays out in its own way.
//!
//! Read [`Chapter`] first. Which papers show a chapter, and where, is written in the list of
//! `chapters`; a block that one of them leaves out has an audience of its own.

use serde::Serialize;

use super::chapters::bottlenecks::Entry;
use super::chapters::cards::Card;
use super::chapters::distribution::Distributions;
use super::chapters::standing::Standing;
use super::charts::Topic;
use crate::report::words::{Item, Section, Table, session_code::SessionCode};

/// Where a report is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    /// The one screen that a terminal shows.
    Screen,
    /// All that a terminal shows when asked to.
    Summary,
    /// The written report (report.md).
    Written,
    /// The run in detail behind the whole performance template, which tells a part of it itself.
    Appendix,
    /// The page (report.html).
    Page,
    /// Everything that a terminal can show: the page without its charts.
    Whole,
}

/// The papers that show something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audience(u8);

impl Audience {
    pub const NOBODY: Audience = Audience(0);
    pub const SCREEN: Audience = Audience(1 << Paper::Screen as u8);
    pub const SUMMARY: Audience = Audience(1 << Paper::Summary as u8);
    /// The written report alone, for what the whole template says in its own place.
    pub const WRITTEN: Audience = Audience(1 << Paper::Written as u8);
    /// Markdown: the written report, and the appendix.
    pub const MARKDOWN: Audience = Audience(Self::WRITTEN.0 | 1 << Paper::Appendix as u8);
    pub const WHOLE: Audience = Audience(1 << Paper::Whole as u8);
    /// The page alone.
    pub const BROWSER: Audience = Audience(1 << Paper::Page as u8);
    /// The page, and what a terminal shows of it.
    pub const PAGE: Audience = Audience(Self::BROWSER.0 | Self::WHOLE.0);
    pub const IN_FULL: Audience = Self::MARKDOWN.and(Self::PAGE);
    /// All but the one screen, which shows chapters of its own.
    pub const REPORTS: Audience = Self::IN_FULL.and(Self::SUMMARY);
    /// A terminal, when asked for more than one screen.
    pub const ON_TERMINALS: Audience = Self::SUMMARY.and(Self::WHOLE);
    /// All but the one screen and the page.
    pub const AS_TEXT: Audience = Self::MARKDOWN.and(Self::ON_TERMINALS);
    pub const EVERYBODY: Audience = Self::REPORTS.and(Self::SCREEN);

    /// Those of either.
    pub const fn and(self, other: Audience) -> Audience {
        Audience(self.0 | other.0)
    }

    pub const fn has(self, paper: Paper) -> bool {
        self.0 & (1 << paper as u8) != 0
    }
}

/// A part of a report that answers one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Chapter {
    /// A word that is its own: the anchor in a page. Parts with one word that follow each other are
    /// one section there.
    pub id: &'static str,
    /// Its name in a table of contents.
    pub name: &'static str,
    /// Its title; empty where it stands at the top of the page.
    pub title: &'static str,
    /// Whether Markdown shows the title: most tables name themselves there.
    pub is_titled: bool,
    /// Whether a page shows it as it opens.
    pub stand: Stand,
    blocks: Vec<(Audience, Block)>,
}

/// Where a page has a chapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stand {
    /// It is seen as the page opens.
    Open,
    /// Among the evidence, which a page shows when asked to.
    Evidence,
}

/// Parts of a chapter.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "of")]
pub enum Block {
    /// A warning that stands before anything else.
    Alarm(Alarm),
    /// The answer, the most important line first.
    Verdict(Vec<String>),
    /// Sentences, one below the other.
    Lines(Vec<String>),
    /// A sentence.
    Sentence(String),
    /// How to read what stands near it.
    Legend(String),
    /// Why something is not there.
    Absent(String),
    /// A heading within the chapter.
    Heading(Heading),
    /// A label in bold above what belongs to it, and what is said of it in brackets.
    Label(Label),
    /// A label in bold and what belongs to it, as a paragraph.
    Lead(Item),
    /// Labelled lines.
    Items(Vec<Item>),
    /// Untried settings, each with the command that does.
    Commands(Vec<Item>),
    /// Numbered entries.
    Numbered(Numbered),
    /// A table.
    Table(Placed),
    /// Charts.
    Charts(Topic),
    /// Sessions, a card each.
    Cards(Vec<Card>),
    /// Sessions against one that a reader chooses.
    Standing(Standing),
    /// Distributions as lines of characters.
    Strips(Distributions),
    /// Code in a language.
    Code(SessionCode),
    /// A command.
    Command(String),
    /// Parts under headings of their own.
    Sections(Vec<Section>),
    /// Labelled lines that a page shows when asked to.
    Folded(Fold),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alarm {
    pub level: AlarmLevel,
    pub text: String,
    /// Its consequence, for those who read on.
    pub rest: Option<&'static str>,
    /// The chapter that says why.
    pub reasons: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmLevel {
    /// Figures may be off.
    Warning,
    /// Figures are worth little, or not all there.
    Alarm,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heading {
    /// 2 for what stands as high as a chapter, 3 below it, 4 below that.
    pub level: u8,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    pub text: String,
    /// The remark on it; may be empty.
    pub remark: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Numbered {
    pub first: usize,
    /// Remark behind the name of each in brackets; may be empty.
    pub remark: String,
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Placed {
    pub place: Place,
    /// The table; without rows it is left out.
    pub table: Table,
}

/// How the title of a table stands, and whether a page shows it at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// It is the chapter: Markdown gives it the chapter's heading.
    Chapter,
    Open,
    /// A page shows it when asked to.
    Folded,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fold {
    pub title: String,
    pub items: Vec<Item>,
}

impl Chapter {
    pub(super) fn new(id: &'static str, name: &'static str, title: &'static str) -> Self {
        Chapter {
            id,
            name,
            title,
            is_titled: false,
            stand: Stand::Evidence,
            blocks: Vec::new(),
        }
    }

    /// The same, seen as a page opens.
    pub(super) fn open(self) -> Self {
        Chapter {
            stand: Stand::Open,
            ..self
        }
    }

    pub(super) fn untitled(id: &'static str) -> Self {
        Chapter::new(id, "", "")
    }

    /// The same, with its title in Markdown too.
    pub(super) fn titled(self) -> Self {
        Chapter {
            is_titled: true,
            ..self
        }
    }

    /// A block for all who see the chapter.
    pub(super) fn with(self, block: Block) -> Self {
        self.only(Audience::EVERYBODY, block)
    }

    pub(super) fn only(mut self, audience: Audience, block: Block) -> Self {
        self.blocks.push((audience, block));
        self
    }

    pub(super) fn with_all(mut self, blocks: impl IntoIterator<Item = Block>) -> Self {
        self.blocks
            .extend(blocks.into_iter().map(|block| (Audience::EVERYBODY, block)));
        self
    }

    /// A table that a page shows at once.
    pub(super) fn table(self, table: Table) -> Self {
        self.with(Block::table(Place::Open, table))
    }

    /// Tables that a page shows when asked to.
    pub(super) fn folded(self, tables: impl IntoIterator<Item = Table>) -> Self {
        self.with_all(
            tables
                .into_iter()
                .map(|table| Block::table(Place::Folded, table)),
        )
    }

    /// Parts under headings of their own, if there are any.
    pub(super) fn sections(self, sections: Vec<Section>) -> Self {
        if sections.is_empty() {
            self
        } else {
            self.with(Block::Sections(sections))
        }
    }

    /// Sentences under a heading, if there are any.
    pub(super) fn lines(self, title: &str, lines: Vec<String>) -> Self {
        if lines.is_empty() {
            self
        } else {
            self.with(Block::heading(title)).with(Block::Lines(lines))
        }
    }

    pub(super) fn items(self, title: &str, items: Vec<Item>) -> Self {
        self.with(Block::heading(title)).with(Block::Items(items))
    }

    /// The blocks that a paper shows.
    pub fn shown(&self, paper: Paper) -> impl Iterator<Item = &Block> {
        self.blocks
            .iter()
            .filter(move |(audience, _)| audience.has(paper))
            .map(|(_, block)| block)
    }
}

impl Block {
    /// Whether nothing of it is shown as text: text has no charts.
    pub(super) fn is_empty_as_text(&self) -> bool {
        match self {
            Block::Charts(_) | Block::Cards(_) | Block::Standing(_) => true,
            Block::Table(placed) => placed.table.rows.is_empty(),
            Block::Lines(lines) | Block::Verdict(lines) => lines.is_empty(),
            Block::Numbered(numbered) => numbered.entries.is_empty(),
            _ => false,
        }
    }

    pub(super) fn heading(text: impl Into<String>) -> Block {
        Block::Heading(Heading {
            level: 3,
            text: text.into(),
        })
    }

    pub(super) fn subheading(text: impl Into<String>) -> Block {
        Block::Heading(Heading {
            level: 4,
            text: text.into(),
        })
    }

    pub(super) fn part(text: impl Into<String>) -> Block {
        Block::Heading(Heading {
            level: 2,
            text: text.into(),
        })
    }

    pub(super) fn label(text: impl Into<String>) -> Block {
        Block::Label(Label {
            text: text.into(),
            remark: String::new(),
        })
    }

    pub(super) fn numbered(entries: Vec<Entry>) -> Block {
        Block::Numbered(Numbered {
            first: 1,
            remark: String::new(),
            entries,
        })
    }

    pub(super) fn table(place: Place, table: Table) -> Block {
        Block::Table(Placed { place, table })
    }
}
