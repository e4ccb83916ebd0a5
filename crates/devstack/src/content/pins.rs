//! What is pinned: contents as files named by CID, entries in memory and in a journal that the next start reads.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::address::content_id;
use super::file::{Network, NewFile, PinnedFile};
use super::query::{Page, Query};

/// The account and its contents. Its methods touch the disk: call them where blocking is allowed.
#[derive(Debug)]
pub(super) struct Pins {
    contents: PathBuf,
    index: Mutex<Index>,
}

#[derive(Debug)]
struct Index {
    journal: File,
    last: u64,
    files: BTreeMap<u64, PinnedFile>,
    by_id: HashMap<String, u64>,
    by_cid: HashMap<(Network, String), u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Entry {
    Put(u64, PinnedFile),
    Gone(u64),
}

/// A file that was uploaded, or was there before.
#[derive(Debug)]
pub(super) struct Put {
    pub file: PinnedFile,
    pub duplicate: bool,
}

impl Pins {
    /// Opens what lies in `dir`, or begins there.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        let contents = dir.join("content");
        fs::create_dir_all(&contents).with_context(|| format!("cannot create {}", contents.display()))?;
        let index = Index::open(&dir.join("files.jsonl"))?;
        Ok(Self { contents, index: Mutex::new(index) })
    }

    /// Pins a content. What is pinned already keeps its entry, as Pinata has it.
    pub fn put(&self, new: NewFile, now: DateTime<Utc>) -> io::Result<Put> {
        let cid = content_id(&new.content).to_string();
        let mut index = self.lock();
        if let Some(file) = index.by_cid.get(&(new.network, cid.clone())).and_then(|at| index.files.get(at)) {
            return Ok(Put { file: file.clone(), duplicate: true });
        }
        let path = self.path(&cid);
        let unfinished = path.with_extension("part");
        fs::write(&unfinished, &new.content)?;
        fs::rename(&unfinished, &path)?;
        let number = index.last + 1;
        let file = PinnedFile {
            id: Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("ipfs://{cid}?{number}").as_bytes()).to_string(),
            name: new.name,
            cid,
            size: new.content.len() as u64,
            number_of_files: 1,
            mime_type: new.mime_type,
            group_id: new.group_id,
            keyvalues: new.keyvalues,
            created_at: now,
            network: new.network,
        };
        index.record(Entry::Put(number, file.clone()))?;
        Ok(Put { file, duplicate: false })
    }

    pub fn get(&self, network: Network, id: &str) -> Option<PinnedFile> {
        let index = self.lock();
        index.find(network, id).map(|(_, file)| file.clone())
    }

    /// Changes name and key-values; none where there is no such file.
    pub fn update(
        &self,
        network: Network,
        id: &str,
        name: Option<String>,
        keyvalues: Option<Map<String, Value>>,
    ) -> io::Result<Option<PinnedFile>> {
        let mut index = self.lock();
        let Some((number, file)) = index.find(network, id) else { return Ok(None) };
        let mut file = file.clone();
        file.name = name.unwrap_or(file.name);
        file.keyvalues = keyvalues.unwrap_or(file.keyvalues);
        index.record(Entry::Put(number, file.clone()))?;
        Ok(Some(file))
    }

    /// Unpins; false where there is no such file.
    pub fn delete(&self, network: Network, id: &str) -> io::Result<bool> {
        let mut index = self.lock();
        let Some((number, file)) = index.find(network, id) else { return Ok(false) };
        let cid = file.cid.clone();
        index.record(Entry::Gone(number))?;
        let held = [Network::Public, Network::Private].iter().any(|n| index.by_cid.contains_key(&(*n, cid.clone())));
        if !held {
            fs::remove_file(self.path(&cid))?;
        }
        Ok(true)
    }

    pub fn list(&self, network: Network, query: &Query) -> Page {
        let index = self.lock();
        if let Some(cid) = &query.cid {
            let found = index.by_cid.get(&(network, cid.clone()));
            return query.page(found.into_iter().filter_map(|at| index.files.get_key_value(at)));
        }
        let ours = index.files.iter().filter(|(_, file)| file.network == network);
        if query.oldest_first { query.page(ours) } else { query.page(ours.rev()) }
    }

    /// Where the bytes of a public content lie; none where it is not pinned.
    pub fn public_content(&self, cid: &str) -> Option<PathBuf> {
        let held = self.lock().by_cid.contains_key(&(Network::Public, cid.to_owned()));
        held.then(|| self.path(cid))
    }

    fn path(&self, cid: &str) -> PathBuf {
        self.contents.join(cid)
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        self.index.lock().expect("nothing panics while it holds the index")
    }
}

impl Index {
    /// Reads the journal and writes it anew without what is gone. A line that a crash tore is left out: its upload was
    /// never answered.
    fn open(path: &Path) -> anyhow::Result<Self> {
        let old = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let fresh = path.with_extension("part");
        let mut index = Self {
            journal: File::create(&fresh).with_context(|| format!("cannot write {}", fresh.display()))?,
            last: 0,
            files: BTreeMap::new(),
            by_id: HashMap::new(),
            by_cid: HashMap::new(),
        };
        for entry in old.lines().filter_map(|line| serde_json::from_str(line).ok()) {
            index.apply(entry);
        }
        let kept: Vec<_> = index.files.iter().map(|(number, file)| Entry::Put(*number, file.clone())).collect();
        kept.iter().try_for_each(|entry| index.write(entry))?;
        fs::rename(&fresh, path)?;
        Ok(index)
    }

    fn find(&self, network: Network, id: &str) -> Option<(u64, &PinnedFile)> {
        let number = *self.by_id.get(id)?;
        let file = self.files.get(&number)?;
        (file.network == network).then_some((number, file))
    }

    fn record(&mut self, entry: Entry) -> io::Result<()> {
        self.write(&entry)?;
        self.apply(entry);
        Ok(())
    }

    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        self.journal.write_all(&line)
    }

    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Put(number, file) => {
                self.last = self.last.max(number);
                self.by_id.insert(file.id.clone(), number);
                self.by_cid.insert((file.network, file.cid.clone()), number);
                self.files.insert(number, file);
            }
            Entry::Gone(number) => {
                self.last = self.last.max(number);
                if let Some(file) = self.files.remove(&number) {
                    self.by_id.remove(&file.id);
                    self.by_cid.remove(&(file.network, file.cid));
                }
            }
        }
    }
}
