"""What the runner says, in Chinese or English by the terminal's locale."""

from __future__ import annotations

import os

TEXTS: dict[str, tuple[str, str]] = {
    # key: (Chinese, English)
    "setting_number": (
        "{name}={value} 不是可用的端口号，请改为 1 到 65535 之间的数字。",
        "{name}={value} is no port number. Set it to a number from 1 to 65535.",
    ),
    "setting_same_port": (
        "{first} 和 {second} 都设成了端口 {port}，请把其中一个换掉。",
        "{first} and {second} are both set to port {port}. Give one of them another.",
    ),
    "settings_invalid": (
        "有的设置不能用：{problems}。可选值见 docs/operations.md。",
        "A setting cannot be used: {problems}. docs/operations.md lists what each may be.",
    ),
    "bot_environment_missing": (
        "找不到机器人的 Python 环境（{path}）。请运行 `make setup`。",
        "The bot's Python environment is missing ({path}). Run `make setup`.",
    ),
    "python_version": (
        "需要 Python 3.11 或 3.12，当前是 {version}。请安装 Python 3.11，再运行 `make clean` 和 `make run`。",
        "Python 3.11 or 3.12 is needed, this is {version}. Install Python 3.11, then run `make clean` and `make run`.",
    ),
    "procfile_missing": ("找不到 {path}。", "{path} is missing."),
    "procfile_line": (
        "{path} 第 {line} 行不是“名称: 命令”的格式：{text}",
        "{path}, line {line} is not of the form `name: command`: {text}",
    ),
    "folder_not_writable": (
        "无法写入文件夹 {path}（{reason}）。请修改权限，或用 JIELI_VAR 指定其他文件夹。",
        "The folder {path} cannot be written ({reason}). Change its rights, or name another by JIELI_VAR.",
    ),
    "disk_full": (
        "{path} 所在磁盘只剩 {free} MB，至少需要 {needed} MB。请先清理空间，或用 JIELI_VAR 换一个位置。",
        "Only {free} MB are free on the disk of {path}; {needed} MB are needed. Free some space, or name another "
        "place by JIELI_VAR.",
    ),
    "no_space_left": (
        "磁盘已满，写入 {path} 失败。请清理空间后重试。",
        "The disk is full: {path} could not be written. Free some space, then try again.",
    ),
    "already_running": (
        "已经有一个接力在使用 {path}（进程 {pid}）。请先停掉它，或用 JIELI_VAR 指定另一个文件夹。",
        "Jieli already runs on {path} (process {pid}). Stop it first, or name another folder by JIELI_VAR.",
    ),
    "port_in_use": (
        "{process} 要用的端口 {port} 已被{holder}占用。请停掉它，或换一个端口：{variable}={free} make run",
        "Port {port}, which {process} needs, is in use by {holder}. Stop it, or take another port: "
        "{variable}={free} make run",
    ),
    "holder_unknown": ("其他程序", "another program"),
    "holder": ("进程 {pid}（{command}）", "process {pid} ({command})"),
    "host_unusable": (
        "无法监听 HOST={host}（{reason}）。请改成本机的地址，例如 127.0.0.1 或 0.0.0.0。",
        "HOST={host} cannot be listened on ({reason}). Set it to an address of this machine, such as 127.0.0.1 or "
        "0.0.0.0.",
    ),
    "model_broken": (
        "机器人模型 {path} 已损坏（{reason}）。请运行 `make train` 重新训练。",
        "The bot's model {path} is broken ({reason}). Run `make train` to build it anew.",
    ),
    "model_not_loaded": (
        "机器人加载不了模型（{reason}）。请运行 `make train` 重新训练；详情见 {log}。",
        "The bot cannot load its model ({reason}). Run `make train` to build it anew; details are in {log}.",
    ),
    "model_training": ("训练机器人模型", "Training the bot's model"),
    "model_waiting": (
        "另一个训练正在进行，等它结束……",
        "Another training is going on; waiting for it ...",
    ),
    "model_current": ("模型是最新的（{name}）。", "The model is up to date ({name})."),
    "model_trained": ("模型训练完成：{name}", "The model is trained: {name}"),
    "model_mixed": (
        "训练期间数据有改动，下次启动会再训练一次。",
        "The data changed while it was training; the next start trains again.",
    ),
    "model_no_output": (
        "训练结束了，却没有生成模型。详情见 {log}。",
        "The training ended without a model. Details are in {log}.",
    ),
    "migrating": ("更新数据库", "Bringing the database up to date"),
    "seeding": ("准备演示数据", "Preparing the demo data"),
    "step_running": ("{label}……已 {seconds} 秒", "{label} ... {seconds} s so far"),
    "step_done": ("{label}：完成（{seconds} 秒）", "{label}: done ({seconds} s)"),
    "step_failed": (
        "{label}失败（退出码 {code}）。完整日志：{log}\n{tail}",
        "{label} failed (exit code {code}). The whole log: {log}\n{tail}",
    ),
    "starting": ("启动 {names}", "Starting {names}"),
    "waiting_for": ("等待 {names}……已 {seconds} 秒", "Waiting for {names} ... {seconds} s so far"),
    "ready": ("{process} 就绪（{seconds} 秒）", "{process} is ready ({seconds} s)"),
    "back": ("{process} 已恢复（{seconds} 秒）", "{process} is back ({seconds} s)"),
    "stopped": (
        "{process} 意外停止（{how}），{seconds} 秒后重新启动。日志：{log}",
        "{process} stopped ({how}); starting it again in {seconds} s. Log: {log}",
    ),
    "held": (
        "{process} 已停止，因 {path} 存在而暂不启动；删除该文件即恢复。",
        "{process} is stopped and stays so while {path} exists; remove the file to start it again.",
    ),
    "how_signal": ("信号 {number}", "signal {number}"),
    "how_code": ("退出码 {number}", "exit code {number}"),
    "start_crashed": (
        "{process} 启动失败（{how}）。完整日志：{log}\n{tail}",
        "{process} does not start ({how}). The whole log: {log}\n{tail}",
    ),
    "start_crashed_bot": (
        "机器人启动失败（{how}）。如果是模型的问题，请运行 `make train`。完整日志：{log}\n{tail}",
        "The bot does not start ({how}). If its model is at fault, run `make train`. The whole log: {log}\n{tail}",
    ),
    "start_missing": (
        "{process} 的命令找不到：{command}。请运行 `make setup`。",
        "The command of {process} is missing: {command}. Run `make setup`.",
    ),
    "start_timeout": (
        "{names} 在 {seconds} 秒内没有就绪。日志在 {logs}。\n{tail}",
        "{names} did not get ready within {seconds} s. The logs are in {logs}.\n{tail}",
    ),
    "serving": ("接力已就绪（共 {seconds} 秒）。", "Jieli is ready ({seconds} s in all)."),
    "address_page": ("顾客页面（含聊天窗口）", "Customers (demo page)"),
    "address_desk": ("客服工作台", "Agents' desk"),
    "address_supervisor": ("主管页面", "Supervisor"),
    "address_designer": ("对话设计页面", "Designers"),
    "address_api": ("接口文档", "API"),
    "logins": ("演示账号", "Demo logins"),
    "sample_orders": ("演示订单（订单号 / 手机尾号 / 状态）", "Demo orders (number / last 4 of the phone / state)"),
    "hint_stop": ("按 Ctrl-C 停止。日志：{logs}", "Ctrl-C stops it. Logs: {logs}"),
    "stopping": ("正在停止……（再按一次 Ctrl-C 立即结束）", "Stopping ... (Ctrl-C again to end at once)"),
    "stopped_all": ("已全部停止。", "Everything is stopped."),
    "interrupted": ("已中断。", "Interrupted."),
}
ROLES: dict[str, tuple[str, str]] = {
    "agent": ("客服", "agent"),
    "supervisor": ("主管", "supervisor"),
    "designer": ("对话设计", "designer"),
    "admin": ("管理员", "admin"),
}


def chinese() -> bool:
    """Return whether the terminal's locale is a Chinese one."""
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return locale.lower().startswith("zh")


def say(key: str, **values: object) -> str:
    """Return the sentence `key` with its values, in the terminal's language."""
    return TEXTS[key][0 if chinese() else 1].format(**values)


def role_name(role: str) -> str:
    """Return what a role of an account is called in the terminal's language."""
    return ROLES[role][0 if chinese() else 1] if role in ROLES else role
