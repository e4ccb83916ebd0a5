//! A value in the person's own editor.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use domain::{Clock as _, Content, Operation, OperationRequested, Record, SystemClock, Topic};
use engine::Letter;

use super::decode;

/// What a person made of something.
#[derive(Debug, Clone, PartialEq)]
pub enum Edited {
    /// Another value for the record.
    Value(Vec<u8>),
    /// Another content for the operation.
    Content(Box<Content>),
}

/// Opens a letter's value, and answers with what it became; none where it stayed as it was.
///
/// # Errors
/// An editor that fails, or a value that its step would refuse: then the file is kept, and named.
pub fn value(editor: &str, letter: &Letter, topic: Topic) -> Result<Option<Edited>> {
    let bytes = letter.record.value.as_deref().unwrap_or_default();
    let before = legible(bytes);
    let check = |after: &str| {
        let record = Record { value: Some(after.as_bytes().to_vec()), ..letter.record.clone() };
        Ok(decode::check(topic, &record)?)
    };
    let after = open(editor, &before, check)?;
    Ok(after.map(|after| Edited::Value(after.into_bytes())))
}

/// Opens what is in force of an operation as the event that would ask for it, and answers with the content it became.
///
/// # Errors
/// An editor that fails, an event that intake would refuse, or a change of what is no content: then the file is kept, and
/// named.
pub fn operation(editor: &str, operation: &Operation) -> Result<Option<Edited>> {
    let before = format!("{:#}", serde_json::to_value(event(operation))?);
    let after = open(editor, &before, |after| content(operation, after).map(drop))?;
    Ok(match after {
        Some(after) => Some(Edited::Content(Box::new(content(operation, &after)?))),
        None => None,
    })
}

fn event(operation: &Operation) -> OperationRequested {
    let Content { kind, wallet_address, nft, burn } = operation.content.clone();
    OperationRequested {
        operation_id: operation.id,
        kind,
        user_id: operation.user_id.clone(),
        wallet_address,
        priority: operation.priority,
        nft,
        burn,
    }
}

/// The content of an edited event, which has to be one of the same operation.
fn content(operation: &Operation, event: &str) -> Result<Content> {
    let record = Record {
        topic: String::new(),
        partition: 0,
        offset: 0,
        timestamp: None,
        key: None,
        value: Some(event.as_bytes().to_vec()),
        headers: vec![],
    };
    let asked = OperationRequested::accept(&record, SystemClock.now())?;
    let Content { kind, burn, .. } = &operation.content;
    let frozen = (operation.id, &operation.user_id, operation.priority, kind, burn);
    ensure!(
        frozen == (asked.id, &asked.user_id, asked.priority, &asked.content.kind, &asked.content.burn),
        "operationId, userId, priority, type and burn may not change"
    );
    Ok(asked.content)
}

/// JSON as a person reads it; what is no text as far as it is one.
fn legible(bytes: &[u8]) -> String {
    let json = serde_json::from_slice::<serde_json::Value>(bytes);
    json.map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), |json| format!("{json:#}"))
}

/// The text as it left the editor, checked; none where it is the same.
fn open(editor: &str, before: &str, check: impl FnOnce(&str) -> Result<()>) -> Result<Option<String>> {
    let mut file = tempfile::Builder::new().prefix("mintctl-").suffix(".json").tempfile()?;
    file.write_all(before.as_bytes())?;
    call(editor, file.path())?;
    let after = std::fs::read_to_string(file.path()).context("what the editor left is no text")?;
    let after = after.trim_end().to_owned();
    if after == before.trim_end() {
        return Ok(None);
    }
    if let Err(problem) = check(&after) {
        let (_, path) = file.keep()?;
        bail!("it would be refused: {problem:#}; the edited text is in {}", path.display());
    }
    Ok(Some(after))
}

/// Through the shell, for the editor may come with arguments.
fn call(editor: &str, path: &Path) -> Result<()> {
    let status = Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(path).status();
    let status = status.context("no shell to open the editor with")?;
    ensure!(status.success(), "the editor ({editor}) ended with {status}: nothing was changed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Operation {
        let mut operation = testkit::operation(testkit::operation_id(1));
        operation.content.nft.name = name.into();
        operation
    }

    #[test]
    fn what_an_operation_is_about_may_change_and_who_it_is_not() {
        let failed = of("Quant Ape");
        let edited = operation("sed -i 's/Quant Ape/Gold Ape/'", &failed).unwrap();
        assert_eq!(edited, Some(Edited::Content(Box::new(of("Gold Ape").content))));
        assert_eq!(operation("true", &failed).unwrap(), None);
        for (editor, reason) in [
            ("sed -i s/user-1/user-2/", "may not change"),
            ("sed -i s/unlock/airdrop/", "may not change"),
            ("sed -i 's/Quant Ape/a name that is longer than the chain stores/'", "nft.name"),
            ("truncate -s 9", "not-json"),
            ("false", "nothing was changed"),
        ] {
            let refusal = operation(editor, &failed).unwrap_err().to_string();
            assert!(refusal.contains(reason), "{editor}: {refusal}");
        }
    }

    #[test]
    fn an_edited_value_is_checked_as_its_step_will_check_it() {
        let topic = Topic::Operations;
        let value_of = |text: &[u8]| {
            Letter::read(Record {
                topic: topic.dead_letter_name(""),
                partition: 0,
                offset: 0,
                timestamp: None,
                key: None,
                value: Some(text.to_vec()),
                headers: vec![],
            })
        };
        let event = testkit::event(testkit::operation_id(1), "");
        let letter = value_of(event.as_bytes());
        let Some(Edited::Value(edited)) =
            value("sed -i 's/\"name\": \"\"/\"name\": \"Ape\"/'", &letter, topic).unwrap()
        else {
            panic!("it was edited")
        };
        assert!(std::str::from_utf8(&edited).unwrap().contains("\"Ape\""));
        let refusal = value("sed -i s/level/lvl/", &letter, topic).unwrap_err().to_string();
        assert!(refusal.contains("it would be refused") && refusal.contains("the edited text is in"), "{refusal}");
        assert!(value("echo '{' >", &value_of(&[0xff]), topic).is_err());
    }
}
