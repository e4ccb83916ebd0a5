//! Letters of one cause have one fingerprint: what differs from one record to the next is taken out of their messages.

use std::fmt;

use engine::Letter;
use uuid::Uuid;

/// Topic, class, code and message of a dead letter, without what is its alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// The topic it was put aside from, or the one it lies in.
    pub topic: String,
    /// The failure's class, or a dash.
    pub class: String,
    /// The failure's code, or a dash.
    pub code: String,
    /// The normalised message.
    pub message: String,
}

impl Cause {
    /// The cause of a letter.
    #[must_use]
    pub fn of(letter: &Letter) -> Self {
        let dash = || "–".to_owned();
        Self {
            topic: letter.origin.topic.clone().unwrap_or_else(|| letter.record.topic.clone()),
            class: letter.class.map_or_else(dash, |class| class.to_string()),
            code: letter.code.clone().unwrap_or_else(dash),
            message: normalised(letter.message.as_deref().unwrap_or_default()),
        }
    }

    /// Twelve hexadecimal digits that stand for it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let Self { topic, class, code, message } = self;
        let whole = format!("{topic}\0{class}\0{code}\0{message}");
        let mut digits = Uuid::new_v5(&Uuid::NAMESPACE_OID, whole.as_bytes()).simple().to_string();
        digits.truncate(12);
        digits
    }
}

/// A message with its numbers, ids, addresses, signatures, content ids and quotations taken out.
#[must_use]
pub fn normalised(message: &str) -> String {
    let mut normalised = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, behind)) = around_quotation(rest) {
        push_words(&mut normalised, before);
        normalised.push_str("\"…\"");
        rest = behind;
    }
    push_words(&mut normalised, rest);
    normalised
}

/// What stands before and behind the first quotation. It is what somebody sent; quotes within it are escaped.
fn around_quotation(text: &str) -> Option<(&str, &str)> {
    let (before, quoted) = text.split_once('"')?;
    let mut escaped = false;
    let end = quoted.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some((before, &quoted[end + 1..]))
}

fn push_words(normalised: &mut String, text: &str) {
    let mut rest = text;
    while let Some(start) = rest.find(in_word) {
        normalised.push_str(&rest[..start]);
        let word = &rest[start..];
        let end = word.find(|c| !in_word(c)).unwrap_or(word.len());
        push_word(normalised, &word[..end]);
        rest = &word[end..];
    }
    normalised.push_str(rest);
}

/// Dashes hold an id together, and words that are looked at one by one where they are none.
const fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

fn push_word(normalised: &mut String, word: &str) {
    if Uuid::parse_str(word).is_ok() {
        normalised.push_str("<id>");
        return;
    }
    for (index, part) in word.split('-').enumerate() {
        if index > 0 {
            normalised.push('-');
        }
        push_part(normalised, part);
    }
}

fn push_part(normalised: &mut String, part: &str) {
    match kind(part) {
        Some(kind) => normalised.push_str(kind),
        None => push_without_numbers(normalised, part).unwrap_or_default(),
    }
}

fn push_without_numbers(normalised: &mut String, part: &str) -> fmt::Result {
    use fmt::Write as _;
    let mut in_number = false;
    for c in part.chars() {
        if !c.is_ascii_digit() {
            normalised.write_char(c)?;
        } else if !in_number {
            normalised.write_char('#')?;
        }
        in_number = c.is_ascii_digit();
    }
    Ok(())
}

/// What a long word stands for. One of letters alone is a word of somebody's language, one of digits alone a number.
fn kind(part: &str) -> Option<&'static str> {
    const BASE58: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mixed = part.bytes().any(|byte| byte.is_ascii_digit()) && part.bytes().any(|byte| byte.is_ascii_alphabetic());
    let base58 = || part.chars().all(|c| BASE58.contains(c));
    let lower = || part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    match part.len() {
        _ if !mixed => None,
        46 if part.starts_with("Qm") => Some("<cid>"),
        46.. if part.starts_with("baf") && lower() => Some("<cid>"),
        8.. if part.bytes().all(|byte| byte.is_ascii_hexdigit()) => Some("<hex>"),
        32..=44 if base58() => Some("<address>"),
        64..=88 if base58() => Some("<signature>"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::{Record, header};

    use super::*;

    #[test]
    fn what_differs_from_record_to_record_is_taken_out() {
        for (message, expected) in [
            ("nft.name is 33 bytes long; the chain stores 32", "nft.name is # bytes long; the chain stores #"),
            ("operation 0199a0b0-0000-7000-8000-000000000001 may not go", "operation <id> may not go"),
            ("9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin is minted", "<address> is minted"),
            ("no ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy/1.png", "no ipfs://<cid>/#.png"),
            ("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG", "<cid>"),
            (&format!("{} did not", "5".repeat(70) + "abcXYZ"), "<signature> did not"),
            ("at 2026-01-31T12:00:00Z", "at #-#-#T#:#:#Z"),
            ("hash deadbeef01 differs", "hash <hex> differs"),
            ("EOF while parsing, no digits anywhere", "EOF while parsing, no digits anywhere"),
            ("slot 320000007 of 12", "slot # of #"),
            ("größe 12 µm – 3", "größe # µm – #"),
            ("rate-limited", "rate-limited"),
            (r#"there is no asset "a \"b\" 1.png" here"#, "there is no asset \"…\" here"),
            ("an open \" quote 1", "an open \" quote #"),
            ("", ""),
        ] {
            assert_eq!(normalised(message), expected);
        }
    }

    #[test]
    fn a_fingerprint_is_of_topic_class_code_and_message() {
        let fingerprint = |topic: &str, code: &str, message: &str| {
            let headers = vec![header("x-dlq-code", code), header("kafka_dlt-exception-message", message)];
            let record = Record {
                topic: topic.into(),
                partition: 0,
                offset: 1,
                timestamp: None,
                key: None,
                value: None,
                headers,
            };
            Cause::of(&Letter::read(record)).fingerprint()
        };
        let one = fingerprint("a.dlq", "not-json", "EOF at line 1");
        assert_eq!(one.len(), 12);
        assert_eq!(one, fingerprint("a.dlq", "not-json", "EOF at line 22"));
        assert_ne!(one, fingerprint("b.dlq", "not-json", "EOF at line 1"));
        assert_ne!(one, fingerprint("a.dlq", "not-utf8", "EOF at line 1"));
        assert_ne!(one, fingerprint("a.dlq", "not-json", "EOF at column 1"));
    }
}
