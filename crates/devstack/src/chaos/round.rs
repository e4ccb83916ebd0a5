//! One stack that goes through one trouble after the other.

use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use domain::{Clock, SystemClock, Topic};
use kafka::{Admin, KafkaSettings};
use rand::Rng;
use rand::rngs::StdRng;
use tokio::time::sleep;

use crate::Stack;
use crate::demo::{Follower, Journey, Referee, brokers};

use super::outcome::{Outcome, usual};
use super::rows::Row;
use super::traffic::{Published, Traffic};

/// How long nothing may move before what has not ended counts as stuck: longer than any retry waits.
const STANDSTILL: Duration = Duration::from_secs(90);
/// Traffic to get used to it, and to learn what is usual.
const WARM_UP: Duration = Duration::from_secs(3);

/// How fast operations come, and how long troubles last.
#[derive(Debug, Clone, Copy)]
pub struct Tempo {
    /// Records a second.
    pub rate: u32,
    /// Troubles last this many times shorter than they should, but never shorter than their least.
    pub shortened: u32,
    /// Traffic after each trouble.
    pub after: Duration,
}

impl Tempo {
    fn lasting(self, row: &Row) -> Duration {
        if row.lasts.is_zero() { row.lasts } else { (row.lasts / self.shortened.max(1)).max(row.least.min(row.lasts)) }
    }
}

/// A stack under way, and what it usually does.
#[derive(Debug)]
pub struct Round<'a> {
    stack: &'a mut Stack,
    tempo: Tempo,
    random: StdRng,
    usual: Duration,
    /// Operations so far: names are numbered on.
    operations: usize,
}

impl<'a> Round<'a> {
    /// Learns how long an operation takes while nothing is wrong.
    ///
    /// # Errors
    /// The stack cannot be reached.
    pub async fn begin(stack: &'a mut Stack, tempo: Tempo, random: StdRng) -> Result<Self> {
        let mut round = Self { stack, tempo, random, usual: Duration::ZERO, operations: 0 };
        // The first operations find workers that have never done anything.
        for _ in 0..2 {
            let traffic = round.traffic()?;
            sleep(WARM_UP).await;
            let published = traffic.stop().await?;
            round.usual = usual(&round.journeys(&published).await?);
        }
        Ok(round)
    }

    /// How long an operation takes from published to verified while nothing is wrong.
    #[must_use]
    pub fn usual(&self) -> Duration {
        self.usual
    }

    /// Lets one thing go wrong while operations keep coming, and waits for all of them to end.
    ///
    /// # Errors
    /// The trouble cannot be caused or ended, or chain, IPFS or Kafka cannot be asked afterwards.
    pub async fn suffer(&mut self, row: Row) -> Result<Outcome> {
        let since = SystemClock.now();
        let traffic = self.traffic()?;
        // Every step has something to do when it begins.
        sleep(self.usual + Duration::from_secs(1)).await;
        let over = row.trouble.rage(self.stack, &traffic, self.tempo.lasting(&row), &mut self.random).await?;
        sleep(self.tempo.after).await;
        let published = traffic.stop().await?;
        let journeys = self.journeys(&published).await?;
        let mut outcome = Outcome::of(row, &journeys, self.usual, &over);
        outcome.poison = published.poison;
        outcome.dead_lettered = self.dead_letters(since).await?;
        let referee = Referee::new(self.stack)?;
        let findings = referee.judge(&journeys).await?;
        outcome.duplicates = referee.duplicates(&journeys).await?;
        outcome.wrong = findings.into_iter().flat_map(|finding| finding.problems).collect();
        Ok(outcome)
    }

    fn traffic(&mut self) -> Result<Traffic> {
        Traffic::start(self.stack.env(), self.tempo.rate, self.operations, self.random.random())
    }

    async fn journeys(&mut self, published: &Published) -> Result<Vec<Journey>> {
        self.operations += published.orders.len();
        Follower::start(self.stack.env(), &published.orders)?.until_ended_or_still(STANDSTILL).await
    }

    /// How many records became dead letters since then.
    async fn dead_letters(&self, since: DateTime<Utc>) -> Result<usize> {
        let admin = Admin::connect(&KafkaSettings::new(brokers(self.stack.env())?, "devstack-chaos"))?;
        let topics = Topic::all().map(|topic| topic.dead_letter_name("")).collect();
        let mut letters = admin.read(topics, Some(since))?;
        let mut count = 0;
        while let Some(letter) = letters.recv().await {
            letter?;
            count += 1;
        }
        Ok(count)
    }
}
