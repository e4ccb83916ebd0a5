//! The consumer: one thread that polls, detaches records and keeps librdkafka in step with the assignment.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use domain::Record;
use engine::{Assignment, Delivery};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::error::Error;
use crate::fatal::{Fatal, FatalError};
use crate::group::Group;
use crate::handle::{ConsumerHandle, Control, Phase};
use crate::settings::KafkaSettings;
use crate::{client, metrics, record};

/// How long one poll waits at most: what the assignment and the handle ask for is done within it.
const POLL: Duration = Duration::from_millis(50);

/// How often finished work is stored.
const STORE_EVERY: Duration = Duration::from_millis(20);

/// What lives on the consumer's thread.
pub struct Consumer {
    client: BaseConsumer<Group>,
    assignment: Arc<Assignment>,
    deliveries: UnboundedSender<Delivery>,
    control: Arc<Control>,
    fatal: Fatal,
    stored: Instant,
    membership: Membership,
}

/// Who it is in its group.
struct Membership {
    group: String,
    instance_id: Option<String>,
}

impl Membership {
    /// What a fatal error of librdkafka's means to the member.
    fn lost_by(&self, code: RDKafkaErrorCode, reason: &str) -> FatalError {
        match &self.instance_id {
            Some(instance_id) if code == RDKafkaErrorCode::FencedInstanceId => {
                FatalError::Fenced { group: self.group.clone(), instance_id: instance_id.clone() }
            }
            Some(_) | None => FatalError::Broken(format!("group {}: {reason}", self.group)),
        }
    }
}

impl Consumer {
    /// Joins the group and hands every record of its topics over, each with what finishes it, at least once and in the
    /// order of its partition. `assignment` bounds how many are in hand, and says when they are finished; it is for this
    /// consumer alone. Returns before the group has assigned anything.
    ///
    /// # Errors
    /// [`Error::Settings`], [`Error::Client`]. A cluster that cannot be reached is none: it may come back.
    pub fn start(
        settings: &KafkaSettings,
        group: &str,
        topics: &[String],
        assignment: Arc<Assignment>,
        deliveries: UnboundedSender<Delivery>,
    ) -> Result<ConsumerHandle, Error> {
        let fatal = Fatal::default();
        let context = Group::new(assignment.clone(), fatal.clone(), settings.line.clone());
        let client: BaseConsumer<Group> =
            client::consumer(settings, group)?.create_with_context(context).map_err(Error::client)?;
        client.subscribe(&topics.iter().map(String::as_str).collect::<Vec<_>>()).map_err(Error::client)?;
        let control = Arc::new(Control::new());
        let consumer = Self {
            client,
            assignment,
            deliveries,
            control: control.clone(),
            fatal: fatal.clone(),
            stored: Instant::now(),
            membership: Membership { group: group.to_owned(), instance_id: settings.instance_id.clone() },
        };
        let (closing, closed) = oneshot::channel();
        let handle = ConsumerHandle::new(control, fatal.clone(), closed);
        let life = move || {
            if catch_unwind(AssertUnwindSafe(|| consumer.run())).is_err() {
                fatal.broken("the consumer's thread panicked");
            }
            closing.send(()).ok();
        };
        let thread = thread::Builder::new().name("kafka-consumer".to_owned()).spawn(life);
        thread.map_err(|error| Error::Client(format!("no thread for the consumer: {error}")))?;
        Ok(handle)
    }

    fn run(mut self) {
        while self.control.phase() < Phase::Closing && !self.fatal.is_set() {
            self.control.beat();
            let polled = self.client.poll(POLL).map(|message| message.map(|message| record::detach(&message)));
            match polled {
                Some(Ok(record)) => self.receive(record),
                // It was told to the context and logged there; librdkafka itself recovers from all but fatal ones.
                Some(Err(error)) => tracing::debug!(%error, "poll"),
                None => {}
            }
            self.notice_a_fatal_error();
            self.regulate();
            if self.stored.elapsed() >= STORE_EVERY {
                self.stored = Instant::now();
                Group::store(&self.client, self.assignment.progress());
            }
        }
        // Dropping the client revokes what is assigned, through the same callback as any revoke, and leaves the group.
    }

    fn receive(&mut self, record: Record) {
        // While draining, records are left for the next owner: nothing is stored behind what was not handed out.
        if self.control.phase() > Phase::Fetching {
            return;
        }
        // A record of a partition that was just revoked, or one that came before: none of our business.
        let Some(ticket) = self.assignment.received(&record) else { return };
        metrics::consumed(&record.topic);
        if self.deliveries.send(Delivery { record, ticket }).is_err() {
            // Nobody is left to do the work.
            self.control.advance(Phase::Closing);
        }
    }

    fn regulate(&self) {
        let group = self.client.context();
        if self.control.phase() > Phase::Fetching {
            group.pause(&self.client, &self.assignment.partitions());
            return;
        }
        let flow = self.assignment.flow();
        group.pause(&self.client, &flow.pause);
        group.resume(&self.client, &flow.resume);
    }

    fn notice_a_fatal_error(&self) {
        if let Some((code, reason)) = self.client.client().fatal_error() {
            self.fatal.set(self.membership.lost_by(code, &reason));
        }
    }
}
