//! The whole template as parts of the page.

use crate::report::chapter::{Block, Label, Numbered};
use crate::report::chapters::bottlenecks::Entry;
use crate::report::template::Line;
use crate::report::words::Item;

/// What stands below a heading of the second level.
pub(super) struct Part {
    /// The anchor, which no chapter has.
    pub(super) id: String,
    pub(super) title: &'static str,
    pub(super) blocks: Vec<Block>,
}

pub(super) fn parts(lines: &[Line]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for line in lines {
        match (line, parts.last_mut()) {
            (Line::Fixed { text }, last) => match (title(text), last) {
                (Some(title), _) => parts.push(Part::new(title)),
                (None, Some(last)) => last.fixed(text),
                // The title of the document.
                (None, None) => {}
            },
            (_, None) => {}
            (Line::Field { lead, item }, Some(last)) => last.field(lead, item.clone()),
            (Line::Entry { number, title }, Some(last)) => last.entry(*number, title),
        }
    }
    parts
}

/// Of a line that begins a part.
fn title(line: &'static str) -> Option<&'static str> {
    match line {
        "---" => Some("Document"),
        line => line.strip_prefix("## "),
    }
}

impl Part {
    fn new(title: &'static str) -> Self {
        let words = title.split(|c: char| !c.is_ascii_alphanumeric());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        Part {
            id: format!("template-{}", words.join("-").to_lowercase()),
            title,
            blocks: Vec::new(),
        }
    }

    fn fixed(&mut self, line: &'static str) {
        if let Some(text) = line.strip_prefix("#### ") {
            self.blocks.push(Block::subheading(text));
        } else if let Some(text) = line.strip_prefix("### ") {
            self.blocks.push(Block::heading(text));
        } else if let Some((label, rest)) = bold(line) {
            self.labelled(label, rest);
        } else if let Some((number, rest)) = line.split_once(". ")
            && let (Ok(first), Some((title, rest))) = (number.parse(), bold(rest))
        {
            self.numbered(Numbered {
                first,
                remark: in_brackets(rest).into(),
                entries: vec![Entry {
                    title: title.into(),
                    fields: Vec::new(),
                }],
            });
        }
    }

    /// A label above what belongs to it, or a line that is complete.
    fn labelled(&mut self, label: &str, rest: &str) {
        match rest.split_once(": ") {
            Some((_, text)) => self.field("", Item::new(label, text)),
            None => self.blocks.push(Block::Label(Label {
                text: label.into(),
                remark: in_brackets(rest).into(),
            })),
        }
    }

    fn numbered(&mut self, numbered: Numbered) {
        self.blocks.push(Block::Numbered(numbered));
    }

    fn field(&mut self, lead: &str, item: Item) {
        match self.blocks.last_mut() {
            Some(Block::Numbered(numbered)) if lead.starts_with("  ") => {
                if let Some(entry) = numbered.entries.last_mut() {
                    entry.fields.push(item);
                }
            }
            Some(Block::Items(items)) => items.push(item),
            _ => self.blocks.push(Block::Items(vec![item])),
        }
    }

    fn entry(&mut self, number: usize, title: &str) {
        let entry = Entry {
            title: title.to_owned(),
            fields: Vec::new(),
        };
        match self.blocks.last_mut() {
            Some(Block::Numbered(numbered)) if number > 1 => numbered.entries.push(entry),
            _ => self.blocks.push(Block::numbered(vec![entry])),
        }
    }
}

/// Words in bold at the start of a line, and what follows them.
fn bold(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("**")?.split_once("**")
}

fn in_brackets(rest: &str) -> &str {
    let remark = rest.trim().trim_end_matches(':');
    remark
        .strip_prefix('(')
        .and_then(|remark| remark.strip_suffix(')'))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(lead: &'static str, label: &str) -> Line {
        let item = Item::list(label, vec!["a".into(), "b".into()]);
        Line::Field { lead, item }
    }

    #[test]
    fn lines_become_blocks_below_the_headings_that_they_stand_under() {
        let fixed = |text| Line::Fixed { text };
        let found = parts(&[
            fixed("# Performance Optimization Template"),
            fixed("## Risk Assessment"),
            fixed("### AI/ML Risks (if applicable)"),
            fixed("**AI Performance Targets** (if applicable):"),
            list("- ", "Latency"),
            fixed("1. **High Priority** (Critical Impact)"),
            list("   - ", "Effort"),
            Line::Entry {
                number: 1,
                title: "First".into(),
            },
            Line::Entry {
                number: 2,
                title: "Second".into(),
            },
            list("   - ", "Impact"),
            fixed("---"),
            fixed("**Template Version**: 2.3.0"),
        ]);
        let [risks, document] = found.as_slice() else {
            panic!("two parts");
        };
        assert_eq!(
            (risks.id.as_str(), risks.title),
            ("template-risk-assessment", "Risk Assessment")
        );
        let [heading, label, items, priority, entries] = risks.blocks.as_slice() else {
            panic!("five blocks of {:?}", risks.blocks);
        };
        assert_eq!(*heading, Block::heading("AI/ML Risks (if applicable)"));
        assert!(matches!(label, Block::Label(label) if label.remark == "if applicable"));
        assert!(matches!(items, Block::Items(items) if items[0].lines == ["a", "b"]));
        assert!(
            matches!(priority, Block::Numbered(one) if one.remark == "Critical Impact" && one.entries[0].fields.len() == 1)
        );
        assert!(
            matches!(entries, Block::Numbered(two) if two.entries.len() == 2 && two.entries[1].fields.len() == 1)
        );
        assert!(
            matches!(document.blocks.as_slice(), [Block::Items(items)] if items[0].text == "2.3.0")
        );
    }
}
