//! The device's check of itself: data, space, clock, rulebook, camera, what waits for HQ.

use sync_model::hash::Hash;
use sync_model::time::TimeQuality;

use crate::device::camera::find_camera;
use crate::error::AppError;
use crate::evidence::take::camera_choice;
use crate::services::Services;
use crate::text;

/// Less room than this is told.
const ROOM_LOW_BYTES: u64 = 500_000_000;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckState {
    /// As it should be.
    Fine,
    /// Work goes on; somebody should look.
    Attention,
    /// Stop and call HQ.
    Bad,
}

/// One line of the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckView {
    /// What was looked at.
    pub name: &'static str,
    /// What was found.
    pub detail: String,
    /// How it came out.
    pub state: CheckState,
}

fn line(name: &'static str, detail: impl Into<String>, state: CheckState) -> CheckView {
    CheckView { name, detail: detail.into(), state }
}

/// Checks everything, every record of the chain included; takes a moment.
///
/// # Errors
/// [`AppError::Store`] if the store cannot be read at all.
pub fn check_self(services: &Services) -> Result<Vec<CheckView>, AppError> {
    let data = match services.store.check_chain() {
        Ok(count) => {
            line("本机数据", format!("签名和哈希链 {count} 条，逐条核对一致"), CheckState::Fine)
        }
        Err(error) => line("本机数据", text::explain(&error.into()), CheckState::Bad),
    };
    let mut all = vec![data];
    all.extend(quick_checks(services)?);
    all.push(camera(services)?);
    Ok(all)
}

/// Checks what costs next to nothing.
///
/// # Errors
/// [`AppError::Store`].
pub fn quick_checks(services: &Services) -> Result<Vec<CheckView>, AppError> {
    let room = services.store.room_bytes()?;
    let tenths = room / 100_000_000;
    let state = if room < ROOM_LOW_BYTES { CheckState::Attention } else { CheckState::Fine };
    let space = line("存储空间", format!("剩余 {}.{} GB", tenths / 10, tenths % 10), state);
    let today = services.clock.now().wall_at.legal_date();
    services.store.read(|reader| {
        let last = reader.last_round_at()?;
        let seen = last
            .map_or_else(|| "尚未与总部对时".to_owned(), |at| format!("最近联络 {}", at.chinese()));
        let clock = match reader.last_quality()? {
            Some(TimeQuality::ServerSynced | TimeQuality::Gnss) => {
                line("时钟", format!("与总部一致，{seen}"), CheckState::Fine)
            }
            Some(TimeQuality::Suspect) => {
                line("时钟", format!("存疑，请联网校时；{seen}"), CheckState::Bad)
            }
            Some(TimeQuality::RtcOnly) | None => {
                line("时钟", format!("24 小时内未对时；{seen}"), CheckState::Attention)
            }
        };
        let rulebook = match reader.rulebook()? {
            Some(one) => {
                let age = (today - one.issued_on).num_days();
                let old = age > i64::from(one.policies.list_age_warn_days);
                let state = if old { CheckState::Attention } else { CheckState::Fine };
                let detail = format!("第 {} 版，{} 发布，已 {age} 天", one.version, one.issued_on);
                line("规则库", detail, state)
            }
            None => line("规则库", "没有规则库，请联网同步", CheckState::Bad),
        };
        let counts = reader.outbox_counts()?;
        let parked = counts.parked;
        let state = if parked > 0 { CheckState::Attention } else { CheckState::Fine };
        let detail = format!(
            "待上报记录 {} 条、附件 {} 件，退回 {parked}",
            counts.pending, counts.pending_blobs
        );
        Ok(vec![space, clock, rulebook, line("上报队列", detail, state)])
    })
}

fn camera(services: &Services) -> Result<CheckView, AppError> {
    let choice = camera_choice(&services.store)?;
    Ok(match find_camera(&choice, Box::new(|_| false)) {
        Ok(Some(camera)) => line("相机", camera.describe(), CheckState::Fine),
        Ok(None) => line("相机", "没有找到相机，可以导入照片", CheckState::Attention),
        Err(error) => {
            tracing::info!(%error, "camera check");
            line("相机", "相机没有响应，可以导入照片", CheckState::Attention)
        }
    })
}

/// Returns what this device and program are.
///
/// # Errors
/// [`AppError::Store`].
pub fn about(services: &Services) -> Result<Vec<(&'static str, String)>, AppError> {
    let mut facts = vec![
        ("程序版本", env!("CARGO_PKG_VERSION").to_owned()),
        ("数据目录", services.store.folder().display().to_string()),
    ];
    let vault = services.store.vault().is_open_to_the_device();
    let kept = if vault {
        "数据库和附件已加密；密钥由本机保管，尚未受口令保护"
    } else {
        "数据库和附件已加密；密钥受执法人员口令保护"
    };
    facts.push(("数据加密", kept.to_owned()));
    if let Some(enrollment) = services.store.read(|reader| reader.enrollment())? {
        let certificate = enrollment.certificate;
        facts.push(("终端", format!("{}（{}）", certificate.name, certificate.device)));
        facts.push(("总部地址", enrollment.hq));
        facts.push(("总部公钥指纹", Hash::of(&enrollment.trust.issuer_key.0).hex()));
    }
    Ok(facts)
}
