//! A table whose changes can be taken back, so that a statement is all or nothing.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

/// Rows in the order of their keys.
#[derive(Debug)]
pub struct Table<K, V> {
    rows: BTreeMap<K, V>,
    /// What the present statement changed, as it was before.
    before: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), before: Vec::new() }
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    pub fn range(&self, keys: impl RangeBounds<K>) -> impl Iterator<Item = (&K, &V)> {
        self.rows.range(keys)
    }

    /// Writes a row, in the place of the one there.
    pub fn put(&mut self, key: K, row: V) {
        let before = self.rows.insert(key.clone(), row);
        self.before.push((key, before));
    }

    pub fn delete(&mut self, key: &K) {
        if let Some(row) = self.rows.remove(key) {
            self.before.push((key.clone(), Some(row)));
        }
    }
}

/// What a statement changed, kept or taken back with it.
pub trait Undo {
    /// The statement is committed.
    fn keep(&mut self);
    /// The statement failed: nothing of it remains.
    fn take_back(&mut self);
}

impl<K: Ord, V> Undo for Table<K, V> {
    fn keep(&mut self) {
        self.before.clear();
    }

    fn take_back(&mut self) {
        while let Some((key, before)) = self.before.pop() {
            match before {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }
}
