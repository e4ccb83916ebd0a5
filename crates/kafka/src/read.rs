//! Reading topics from end to end, without a group: nobody's position moves.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::Record;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::MetadataTopic;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::mpsc;

use crate::admin::{Admin, WITHIN};
use crate::client;
use crate::error::Error;
use crate::patience::patiently;
use crate::record;

const DOING: &str = "reading topics";
/// How long one poll waits at most.
const POLL: Duration = Duration::from_millis(100);
/// Records that wait for whoever reads.
const AHEAD: usize = 256;

/// The part of a topic that is to be read: partition, first offset, and the offset behind the last.
struct Span {
    topic: String,
    partitions: Vec<(i32, i64, i64)>,
}

impl Admin {
    /// Reads what those topics hold at this moment, one topic after the other, each partition in its order; with `since`
    /// only what was written since then. A topic that does not exist holds nothing. An error is the last that comes;
    /// dropping the receiver ends the reading.
    ///
    /// # Errors
    /// [`Error::Settings`].
    pub fn read(
        &self,
        topics: Vec<String>,
        since: Option<DateTime<Utc>>,
    ) -> Result<mpsc::Receiver<Result<Record, Error>>, Error> {
        let mut config = client::plain(&self.settings)?;
        config
            // Partitions are assigned by hand: the group is a name that the client asks for and never joins.
            .set("group.id", &self.settings.client_id)
            .set("enable.auto.commit", "false")
            // The last offset may be a transaction's marker, which never comes: the end of a partition does.
            .set("enable.partition.eof", "true")
            .set("isolation.level", "read_committed")
            .set("queued.max.messages.kbytes", "16384");
        let (sender, receiver) = mpsc::channel(AHEAD);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = read_all(&config, &topics, since, &sender) {
                // Whoever asked may have gone.
                sender.blocking_send(Err(error)).ok();
            }
        });
        Ok(receiver)
    }
}

fn read_all(
    config: &ClientConfig,
    topics: &[String],
    since: Option<DateTime<Utc>>,
    sender: &mpsc::Sender<Result<Record, Error>>,
) -> Result<(), Error> {
    let client: BaseConsumer = config.create().map_err(Error::client)?;
    // Every end is fixed before the first record is handed out: what that causes to be written is not read.
    let spans = topics.iter().map(|topic| span(&client, topic, since)).collect::<Result<Vec<_>, _>>()?;
    for span in spans.iter().filter(|span| !span.partitions.is_empty()) {
        // A client each, for an end that is told names its partition and not its topic.
        let client: BaseConsumer = config.create().map_err(Error::client)?;
        if !read_span(&client, span, sender)? {
            break;
        }
    }
    Ok(())
}

fn span(client: &BaseConsumer, topic: &str, since: Option<DateTime<Utc>>) -> Result<Span, Error> {
    let metadata = client.fetch_metadata(Some(topic), WITHIN).map_err(Error::request(DOING))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
    let mut partitions = Vec::new();
    for partition in found.map(MetadataTopic::partitions).unwrap_or_default() {
        let ends = patiently(WITHIN, |left| client.fetch_watermarks(topic, partition.id(), left));
        let (start, end) = ends.map_err(Error::request(DOING))?;
        partitions.push((partition.id(), start, end));
    }
    if let Some(since) = since {
        let starts = starts(client, topic, &partitions, since)?;
        for (id, start, end) in &mut partitions {
            *start = starts.get(id).copied().unwrap_or(*end);
        }
    }
    partitions.retain(|(_, start, end)| start < end);
    Ok(Span { topic: topic.to_owned(), partitions })
}

/// Where what was written since then begins; a partition that has nothing of it is left out.
fn starts(
    client: &BaseConsumer,
    topic: &str,
    partitions: &[(i32, i64, i64)],
    since: DateTime<Utc>,
) -> Result<HashMap<i32, i64>, Error> {
    if partitions.is_empty() {
        return Ok(HashMap::new());
    }
    let mut asked = TopicPartitionList::new();
    for (id, _, _) in partitions {
        asked
            .add_partition_offset(topic, *id, Offset::Offset(since.timestamp_millis().max(0)))
            .map_err(Error::request(DOING))?;
    }
    let found = patiently(WITHIN, |left| client.offsets_for_times(asked.clone(), left));
    let found = found.map_err(Error::request(DOING))?;
    let place = |element: &TopicPartitionListElem<'_>| match element.offset() {
        Offset::Offset(offset) => Some((element.partition(), offset)),
        Offset::Beginning | Offset::End | Offset::Stored | Offset::Invalid | Offset::OffsetTail(_) => None,
    };
    Ok(found.elements().iter().filter_map(place).collect())
}

/// Says whether anybody still listens.
fn read_span(client: &BaseConsumer, span: &Span, sender: &mpsc::Sender<Result<Record, Error>>) -> Result<bool, Error> {
    let mut places = TopicPartitionList::new();
    for (id, start, _) in &span.partitions {
        places.add_partition_offset(&span.topic, *id, Offset::Offset(*start)).map_err(Error::request(DOING))?;
    }
    client.assign(&places).map_err(Error::request(DOING))?;
    let mut ends: HashMap<i32, i64> = span.partitions.iter().map(|(id, _, end)| (*id, *end)).collect();
    let (mut heard, mut trouble) = (Instant::now(), None);
    while !ends.is_empty() {
        match client.poll(POLL) {
            Some(Ok(message)) => {
                let record = record::detach(&message);
                let end = ends.get(&record.partition).copied().unwrap_or(0);
                if record.offset + 1 >= end {
                    ends.remove(&record.partition);
                }
                if record.offset < end && sender.blocking_send(Ok(record)).is_err() {
                    return Ok(false);
                }
                // After it was handed over: whoever reads may have taken time.
                heard = Instant::now();
            }
            Some(Err(KafkaError::PartitionEOF(id))) => {
                ends.remove(&id);
            }
            // Most pass: librdkafka tries again by itself.
            Some(Err(error)) => trouble = Some(error),
            None => {}
        }
        if heard.elapsed() > WITHIN {
            let reason = trouble.map_or_else(|| "no answer".to_owned(), |error| error.to_string());
            return Err(Error::Request { doing: DOING, message: format!("{}: {reason}", span.topic) });
        }
    }
    Ok(true)
}
