//! JSON that a terminal shows and does not obey.

use std::borrow::Cow;
use std::io;

use serde_json::ser::Formatter;

/// Whether a terminal would act on a character instead of showing it, or it makes others read
/// differently.
#[must_use]
pub fn is_acted_on(c: char) -> bool {
    // Those of Unicode that turn the direction of writing make text read differently from what it
    // is.
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}')
}

fn is_harmful(c: char) -> bool {
    c != '\n' && is_acted_on(c)
}

/// JSON whose strings hold no character that a terminal acts on: such characters stand as escapes,
/// which mean the same.
#[must_use]
pub fn harmless_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_harmful) {
        return json.into();
    }
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if is_harmful(character) {
            let mut units = [0; 2];
            text.extend(
                character
                    .encode_utf16(&mut units)
                    .iter()
                    .map(|unit| format!("\\u{unit:04x}")),
            );
        } else {
            text.push(character);
        }
    }
    text.into()
}

/// Writes JSON in one line, as [`harmless_json`] has it.
#[derive(Debug)]
pub struct HarmlessJson;

impl Formatter for HarmlessJson {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        writer.write_all(harmless_json(fragment).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize as _;

    use super::*;

    #[test]
    fn json_means_the_same_without_control_characters() {
        let name = "a\u{1b}[31m\u{9b}1m\u{7f}\u{202e}b\n";
        let mut written = Vec::new();
        name.serialize(&mut serde_json::Serializer::with_formatter(
            &mut written,
            HarmlessJson,
        ))
        .unwrap();
        let written = String::from_utf8(written).unwrap();
        for text in [
            written.as_str(),
            &harmless_json(&serde_json::to_string(name).unwrap()),
        ] {
            assert!(!text.chars().any(is_acted_on), "{text:?}");
            assert_eq!(serde_json::from_str::<String>(text).unwrap(), name);
        }
    }
}
