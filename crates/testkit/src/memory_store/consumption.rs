//! How far each partition was consumed.

use chrono::{DateTime, Utc};
use engine::{ConsumptionReport, Partition};

use super::rows::{ConsumedRow, Rows};

impl Rows {
    /// An owner takes its number with its first report; an older number never overwrites a newer one.
    pub fn report(&mut self, reports: &[ConsumptionReport], now: DateTime<Utc>) -> Vec<Option<i64>> {
        reports.iter().map(|report| self.report_one(report, now)).collect()
    }

    fn report_one(&mut self, report: &ConsumptionReport, now: DateTime<Utc>) -> Option<i64> {
        let ConsumptionReport { partition: Partition { topic, id }, epoch, through } = report;
        let epoch = epoch.unwrap_or_else(|| {
            self.epochs += 1;
            self.epochs
        });
        let key = (topic.to_string(), *id);
        if self.consumed.get(&key).is_some_and(|known| known.epoch > epoch) {
            return None;
        }
        self.consumed.put(key, ConsumedRow { epoch, through: *through, reported_at: now });
        Some(epoch)
    }
}
