//! From a configuration to a data set.

use std::path::Path;

use trident::spec::{Head, HeadSet};

use super::description::check_features;
use super::split::{self, Ties};
use super::tabular::Table;
use super::{
    ClassificationData, DataError, Dataset, Description, MAX_TARGET, Mismatch, Readings, RegressionData,
    SegmentationData, Split, aligned, builtin, images, random, tiles,
};
use crate::config::{Builtin, ClassificationConfig, Config, RegressionConfig, SegmentationConfig, Source, SplitConfig};

/// Pictures that the built-in generator makes unless `count` says otherwise.
const TILES: usize = 1_200;

/// Reads what the configuration names and splits it into training, validation and test.
///
/// # Errors
/// The first fault met, in order: classification, segmentation, regression.
pub fn load(config: &Config) -> Result<Dataset, DataError> {
    let seed = config.split.seed;
    let samples = aligned_rows(config);
    let classification = config.classification.as_ref().map(|section| {
        let (data, groups) = classification(section, (seed, samples), None)?;
        let strata: Vec<usize> = data.labels.iter().map(|&label| label.into()).collect();
        let ties = reading_ties(&data.readings, groups);
        Ok::<_, DataError>((data, Deal::new(Head::Classification, strata, ties)))
    });
    let segmentation = config.segmentation.as_ref().map(|section| {
        let (data, groups) = segmentation(section, seed)?;
        images::refuse_absent(&data)?;
        let strata = split::mask_strata(&data.masks, data.height * data.width, data.classes.len());
        let mut ties = Ties::new(data.len());
        ties.tie(data.pixels.chunks_exact(data.height * data.width * 3));
        if let Some(groups) = groups {
            ties.tie(groups);
        }
        Ok::<_, DataError>((data, Deal::new(Head::Segmentation, strata, ties)))
    });
    let regression = config.regression.as_ref().map(|section| {
        let (data, groups) = regression(section, (seed, samples), None)?;
        let strata = split::target_strata(&data.targets);
        let ties = reading_ties(&data.readings, groups);
        Ok::<_, DataError>((data, Deal::new(Head::Regression, strata, ties)))
    });
    let (mut classification, mut classification_deal) = classification.transpose()?.unzip();
    let (mut segmentation, mut segmentation_deal) = segmentation.transpose()?.unzip();
    let (mut regression, mut regression_deal) = regression.transpose()?.unzip();
    if config.split.aligned {
        let deals = [&mut classification_deal, &mut segmentation_deal, &mut regression_deal];
        align(deals.into_iter().flatten().collect())?;
    }
    if let Some((data, deal)) = classification.as_mut().zip(classification_deal) {
        data.split = deal.divide(&config.split)?;
        refuse_untrained(Head::Classification, &data.split, &data.labels, &data.classes)?;
    }
    if let Some((data, deal)) = segmentation.as_mut().zip(segmentation_deal) {
        data.split = deal.divide(&config.split)?;
    }
    if let Some((data, deal)) = regression.as_mut().zip(regression_deal) {
        data.split = deal.divide(&config.split)?;
    }
    Ok(Dataset {
        classification,
        segmentation,
        regression,
        inputs_as_targets: inputs_as_targets(config),
        aligned: config.split.aligned,
    })
}

/// Reads what the configuration names for a model that exists: every row for testing.
///
/// Columns may stand in another order, classes may be absent; heads of the model may have no data.
///
/// # Errors
/// As [`load`], or how the data differ from those that the model was made for.
pub fn load_all(config: &Config, model: &Description) -> Result<Dataset, DataError> {
    let seed = (config.split.seed, aligned_rows(config));
    let mut dataset = Dataset {
        inputs_as_targets: inputs_as_targets(config),
        aligned: config.split.aligned,
        ..Dataset::default()
    };
    if let Some(section) = &config.classification {
        let expected = model.classification.as_ref().ok_or(no_head(Head::Classification))?;
        let known = (&expected.features[..], &expected.classes[..]);
        let (mut data, _) = classification(section, seed, Some(known))?;
        data.split = all_for_testing(data.readings.rows());
        dataset.classification = Some(data);
    }
    if let Some(section) = &config.segmentation {
        let expected = model.segmentation.as_ref().ok_or(no_head(Head::Segmentation))?;
        if section.classes != expected.classes {
            Err(Mismatch::Classes {
                head: Head::Segmentation.name(),
                expected: expected.classes.clone(),
                found: section.classes.clone(),
            })?;
        }
        if section.size != expected.size {
            Err(Mismatch::Size {
                expected: expected.size,
                found: section.size,
            })?;
        }
        let (mut data, _) = segmentation(section, config.split.seed)?;
        data.split = all_for_testing(data.len());
        dataset.segmentation = Some(data);
    }
    if let Some(section) = &config.regression {
        let expected = model.regression.as_ref().ok_or(no_head(Head::Regression))?;
        if section.target != expected.target {
            Err(Mismatch::Target {
                expected: expected.target.clone(),
                found: section.target.clone(),
            })?;
        }
        let (mut data, _) = regression(section, seed, Some(&expected.features))?;
        data.split = all_for_testing(data.readings.rows());
        dataset.regression = Some(data);
    }
    if dataset.classification.is_none() && dataset.segmentation.is_none() && dataset.regression.is_none() {
        Err(Mismatch::NoData)?;
    }
    if dataset.aligned {
        same_rows(&dataset.rows().into_iter().flatten().collect::<Vec<_>>())?;
    }
    Ok(dataset)
}

/// The rows of one head before they are dealt.
struct Deal {
    head: Head,
    strata: Vec<usize>,
    ties: Ties,
}

impl Deal {
    fn new(head: Head, strata: Vec<usize>, ties: Ties) -> Self {
        Self { head, strata, ties }
    }

    fn divide(self, config: &SplitConfig) -> Result<Split, DataError> {
        let head = self.head.name();
        split::split(&self.strata, self.ties, config).map_err(|source| DataError::Split { head, source })
    }
}

/// Makes rows of one number one unit: dealt once, by the strata of the first head, what any head ties together together.
fn align(mut deals: Vec<&mut Deal>) -> Result<(), DataError> {
    let rows: Vec<(Head, usize)> = deals.iter().map(|deal| (deal.head, deal.strata.len())).collect();
    same_rows(&rows)?;
    let Some((first, others)) = deals.split_first_mut() else {
        return Ok(());
    };
    others.iter().for_each(|other| first.ties.join(&other.ties));
    for other in others {
        other.strata.clone_from(&first.strata);
        other.ties.clone_from(&first.ties);
    }
    Ok(())
}

fn same_rows(rows: &[(Head, usize)]) -> Result<(), DataError> {
    if rows.windows(2).all(|pair| pair[0].1 == pair[1].1) {
        return Ok(());
    }
    let counts: Vec<String> = rows
        .iter()
        .map(|(head, rows)| format!("{} {rows}", head.name()))
        .collect();
    Err(DataError::NotAligned {
        counts: counts.join(", "),
    })
}

/// How many rows `builtin:aligned` makes for every head.
fn aligned_rows(config: &Config) -> usize {
    let pictures = config
        .segmentation
        .as_ref()
        .filter(|section| section.images == Builtin::Aligned.into());
    pictures.and_then(|section| section.count).unwrap_or(aligned::ROWS)
}

/// Group numbers of rows, if the configuration asks for groups.
type Groups = Option<Vec<usize>>;

/// Rows without a split; `known` are the features and classes of a model that exists.
fn classification(
    config: &ClassificationConfig,
    (seed, samples): (u64, usize),
    known: Option<(&[String], &[String])>,
) -> Result<(ClassificationData, Groups), DataError> {
    let head = Head::Classification;
    let table = match &config.csv {
        Source::Builtin(Builtin::Random) => return Ok((random::classification(seed), None)),
        Source::Builtin(Builtin::Aligned) => return Ok((aligned::classification(samples), None)),
        source => table(source, Builtin::Magic, builtin::MAGIC_CSV, head)?,
    };
    let readings = readings(
        &table,
        &config.label,
        &config.drop,
        known.map(|(features, _)| features),
        head,
    )?;
    let (classes, labels) = match known {
        None => table.labels(&config.label)?,
        Some((_, classes)) => (classes.to_vec(), table.labels_among(&config.label, classes)?),
    };
    let data = ClassificationData {
        readings,
        classes,
        labels,
        split: Split::default(),
    };
    Ok((data, table.groups(&config.group_by)?))
}

fn regression(
    config: &RegressionConfig,
    (seed, samples): (u64, usize),
    known: Option<&[String]>,
) -> Result<(RegressionData, Groups), DataError> {
    let head = Head::Regression;
    let table = match &config.csv {
        Source::Builtin(Builtin::Random) => return Ok((random::regression(seed, &config.target), None)),
        Source::Builtin(Builtin::Aligned) => return Ok((aligned::regression(samples, &config.target), None)),
        source => table(source, Builtin::Airfoil, builtin::AIRFOIL_CSV, head)?,
    };
    let readings = readings(&table, &config.target, &config.drop, known, head)?;
    let targets = table.numbers(&config.target)?;
    if let Some(&value) = targets.iter().find(|target| target.abs() > MAX_TARGET) {
        return Err(DataError::TargetTooLarge {
            file: table.path().display().to_string(),
            target: config.target.clone(),
            value,
        });
    }
    if known.is_none() && targets.iter().all(|&target| target == targets[0]) {
        return Err(DataError::ConstantTarget {
            file: table.path().display().to_string(),
            target: config.target.clone(),
            value: targets[0],
        });
    }
    let data = RegressionData {
        readings,
        target: config.target.clone(),
        targets,
        split: Split::default(),
    };
    Ok((data, table.groups(&config.group_by)?))
}

fn segmentation(config: &SegmentationConfig, seed: u64) -> Result<(SegmentationData, Groups), DataError> {
    match config.images {
        Source::File(_) => {
            let (data, groups) = images::read(config)?;
            Ok((data, Some(groups)))
        }
        Source::Builtin(builtin @ (Builtin::Tiles | Builtin::Aligned)) => {
            if config.classes != tiles::CLASSES {
                return Err(Mismatch::Classes {
                    head: builtin.name(),
                    expected: tiles::CLASSES.map(str::to_owned).to_vec(),
                    found: config.classes.clone(),
                })?;
            }
            let pictures = match builtin {
                Builtin::Aligned => aligned::segmentation(config.count.unwrap_or(aligned::ROWS), config.size),
                _ => tiles::generate(tiles::SEED, config.count.unwrap_or(TILES), config.size),
            };
            Ok((pictures, None))
        }
        Source::Builtin(Builtin::Random) => {
            let count = config.count.unwrap_or(random::SAMPLES);
            Ok((random::segmentation(seed, count, config.size, &config.classes), None))
        }
        Source::Builtin(other) => Err(wrong_builtin(other, Head::Segmentation)),
    }
}

fn table(source: &Source, own: Builtin, text: &str, head: Head) -> Result<Table, DataError> {
    match source {
        Source::File(path) => Ok(Table::read(path)?),
        Source::Builtin(builtin) if *builtin == own => Ok(Table::parse(Path::new(own.name()), text.as_bytes())?),
        Source::Builtin(other) => Err(wrong_builtin(*other, head)),
    }
}

fn readings(
    table: &Table,
    label: &str,
    drop: &[String],
    known: Option<&[String]>,
    head: Head,
) -> Result<Readings, DataError> {
    let mut others: Vec<&str> = drop.iter().map(String::as_str).collect();
    others.push(label);
    let columns = table.columns_except(&others)?;
    let Some(features) = known else {
        let readings = table.readings(columns)?;
        table.refuse_constant(&readings)?;
        return Ok(readings);
    };
    check_features(head.name(), features, &columns)?;
    Ok(table.readings(features.to_vec())?)
}

/// Identical rows stay together, and so do groups.
fn reading_ties(readings: &Readings, groups: Groups) -> Ties {
    let mut ties = Ties::new(readings.rows());
    ties.tie((0..readings.rows()).map(|row| bytemuck::cast_slice::<f32, u32>(readings.row(row))));
    if let Some(groups) = groups {
        ties.tie(groups);
    }
    ties
}

fn refuse_untrained(head: Head, split: &Split, labels: &[u16], classes: &[String]) -> Result<(), DataError> {
    split::refuse_untrained(split, labels, classes).map_err(|source| DataError::Split {
        head: head.name(),
        source,
    })
}

fn all_for_testing(rows: usize) -> Split {
    Split {
        test: (0..rows).collect(),
        ..Split::default()
    }
}

fn inputs_as_targets(config: &Config) -> HeadSet {
    let random = Source::Builtin(Builtin::Random);
    let mut heads = HeadSet::EMPTY;
    if config
        .segmentation
        .as_ref()
        .is_some_and(|section| section.images == random)
    {
        heads = heads.with(Head::Segmentation);
    }
    if config.regression.as_ref().is_some_and(|section| section.csv == random) {
        heads = heads.with(Head::Regression);
    }
    heads
}

fn no_head(head: Head) -> Mismatch {
    Mismatch::NoHead { head: head.name() }
}

fn wrong_builtin(builtin: Builtin, head: Head) -> DataError {
    DataError::WrongBuiltin {
        builtin: builtin.name(),
        head: head.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    fn folder(csv: &str, toml: &str) -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.csv"), csv).unwrap();
        std::fs::write(folder.path().join("t.toml"), toml).unwrap();
        let config = Config::load(&folder.path().join("t.toml")).unwrap();
        (folder, config)
    }

    fn three_labels() -> String {
        let mut csv = "speed,id,angle,kind\n".to_owned();
        for row in 0..90 {
            writeln!(
                csv,
                "{},p{},{},{}",
                row / 2,
                row / 3,
                row % 7,
                ["up", "down", "still"][row % 3]
            )
            .unwrap();
        }
        csv
    }

    const TOML: &str = "[classification]\ncsv='a.csv'\nlabel='kind'\ngroup_by=['id']\ndrop=['id']\n";

    #[test]
    fn three_labels_with_groups_are_read() {
        let (_folder, config) = folder(&three_labels(), TOML);
        let data = load(&config).unwrap().classification.unwrap();
        assert_eq!(data.classes, ["down", "still", "up"]);
        assert_eq!(data.readings.features, ["speed", "angle"]);
        for row in 0..30 {
            let parts = [&data.split.train, &data.split.validation, &data.split.test];
            let holds = parts
                .iter()
                .filter(|part| (0..3).any(|i| part.contains(&(row * 3 + i))))
                .count();
            assert_eq!(holds, 1);
        }
    }

    #[test]
    fn other_files_are_checked_against_the_model() {
        let (_folder, config) = folder(&three_labels(), TOML);
        let model = load(&config).unwrap().description();
        // Columns in another order, one class only, a constant column: all fine in a held-out set.
        let (_other, other) = folder(
            "kind,angle,speed\nup,1,5\nup,2,5\n",
            "[classification]\ncsv='a.csv'\nlabel='kind'\n",
        );
        let data = load_all(&other, &model).unwrap().classification.unwrap();
        assert_eq!(data.labels, [2, 2]);
        assert_eq!(data.readings.values, [5.0, 1.0, 5.0, 2.0]);
        assert_eq!(data.split.test, [0, 1]);
        let refused = |csv: &str, toml: &str| load_all(&folder(csv, toml).1, &model).unwrap_err().to_string();
        let toml = "[classification]\ncsv='a.csv'\nlabel='kind'\n";
        let (_kept, missing) = folder("kind,angle,sped\nup,1,5\n", toml);
        let missing = load_all(&missing, &model).unwrap_err().to_string();
        assert!(
            missing.contains("missing: speed; unknown (name them in `drop`): sped"),
            "{missing}"
        );
        let (_kept, unknown) = folder("kind,angle,speed\nup,1,5\nleft,1,5\n", toml);
        let unknown = load_all(&unknown, &model).unwrap_err().to_string();
        assert!(
            unknown.ends_with("a.csv:3: column `kind` holds the label `left`; the model knows: down, still, up"),
            "{unknown}"
        );
        let head = refused("x,y\n1,2\n", "[regression]\ncsv='a.csv'\ntarget='y'\n");
        assert!(head.contains("no such head"), "{head}");
    }

    #[test]
    fn a_constant_target_and_a_wrong_builtin_are_refused() {
        let (_folder, config) = folder("x,y\n1,2\n3,2\n", "[regression]\ncsv='a.csv'\ntarget='y'\n");
        assert!(load(&config).unwrap_err().to_string().contains("`y` is 2 in every row"));
        let (_folder, config) = folder("", "[regression]\ncsv='builtin:magic'\ntarget='y'\n");
        assert!(
            load(&config)
                .unwrap_err()
                .to_string()
                .contains("builtin:magic cannot be used for regression")
        );
    }

    #[test]
    fn the_random_data_are_their_own_targets() {
        let data = load(&Config::random()).unwrap();
        let heads = data.inputs_as_targets;
        assert!(heads.contains(Head::Segmentation) && heads.contains(Head::Regression));
        assert!(!heads.contains(Head::Classification));
        assert_eq!(data.segmentation.unwrap().len(), random::SAMPLES);
    }
}
