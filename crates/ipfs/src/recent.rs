//! Contents that were in use lately, within a bound of bytes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::Content;

#[derive(Debug)]
pub(crate) struct Recent {
    bytes: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    uses: u64,
    contents: HashMap<String, (u64, Content)>,
}

impl Recent {
    /// Holds at most that many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { bytes, held: Mutex::default() }
    }

    pub fn get(&self, key: &str) -> Option<Content> {
        let mut held = self.lock();
        held.uses += 1;
        let now = held.uses;
        let (used, content) = held.contents.get_mut(key)?;
        *used = now;
        Some(content.clone())
    }

    /// Puts a content in, and out what was not used for longest.
    pub fn put(&self, key: String, content: Content) {
        let mut held = self.lock();
        held.uses += 1;
        let now = held.uses;
        held.bytes += content.bytes().len();
        if let Some((_, before)) = held.contents.insert(key, (now, content)) {
            held.bytes -= before.bytes().len();
        }
        while held.bytes > self.bytes {
            let Some(oldest) = held.contents.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone())
            else {
                break;
            };
            if let Some((_, content)) = held.contents.remove(&oldest) {
                held.bytes -= content.bytes().len();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("nothing panics while it holds the contents")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let recent = Recent::new(8);
        let content = |text: &'static str| Content::new(text, "text/plain");
        recent.put("a".into(), content("aaaa"));
        recent.put("b".into(), content("bbbb"));
        assert!(recent.get("a").is_some());
        recent.put("c".into(), content("cccc"));
        assert!(recent.get("b").is_none() && recent.get("a").is_some() && recent.get("c").is_some());
        recent.put("d".into(), content("too much for it"));
        assert!(recent.get("d").is_none());
    }
}
